/** Plays one recording: its waveform to look at and click, and a slider that does the same from the keyboard. */
import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { User } from '../api/recording.ts'
import { words } from '../state/language.ts'
import { isPlaying, opened } from '../state/player.ts'
import { duration } from './amounts.ts'

interface PlayerProps {
  readonly user: User
  readonly id: string
  readonly name: string
  /** Of the MP3. */
  readonly address: string
  readonly seconds: number
}

export function Player({ user, id, name, address, seconds }: PlayerProps) {
  const audio = useRef<HTMLAudioElement>(null)
  const waveform = useRef<HTMLDivElement>(null)
  const position = useSignal(0)
  const isBroken = useSignal(false)
  const say = words.value

  useSignalEffect(() => {
    const wanted = isPlaying.value && opened.value === id
    if (wanted)
      audio.current?.play().catch(() => undefined) // `error` tells why
    else audio.current?.pause()
  })

  useEffect(() => {
    let isGone = false
    let remove = () => {}
    void import('./waveform.ts').then(async ({ drawWaveform }) => {
      if (isGone || audio.current === null || waveform.current === null) return
      remove = await drawWaveform({ user, id, seconds, audio: audio.current, container: waveform.current })
      if (isGone) remove()
    })
    return () => {
      isGone = true
      remove()
      if (opened.peek() === id) isPlaying.value = false
    }
  }, [id])

  return (
    <div class="player">
      {/* biome-ignore lint/a11y/useMediaCaption: nobody has written down what strangers say */}
      <audio
        ref={audio}
        src={address}
        preload="metadata"
        onTimeUpdate={({ currentTarget }) => {
          position.value = currentTarget.currentTime
        }}
        onPlay={() => {
          isPlaying.value = true
        }}
        onPause={() => {
          isPlaying.value = false
        }}
        onError={() => {
          isBroken.value = true
          isPlaying.value = false
        }}
      />
      <div ref={waveform} class="waveform" aria-hidden="true" />
      <div class="player-line">
        <span class="time">{duration(position.value)}</span>
        <input
          type="range"
          min={0}
          max={seconds}
          step={0.1}
          value={position.value}
          aria-label={say.position(name)}
          aria-valuetext={duration(position.value)}
          onInput={({ currentTarget }) => {
            if (audio.current !== null) audio.current.currentTime = currentTarget.valueAsNumber
          }}
        />
        <span class="time">{duration(seconds)}</span>
      </div>
      {isBroken.value && (
        <p class="refused" role="alert">
          {say.cannotPlay}
        </p>
      )}
    </div>
  )
}
