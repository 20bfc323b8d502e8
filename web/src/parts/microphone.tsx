/** Records from the microphone, and hands over the WAV. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { words } from '../state/language.ts'
import { duration } from './amounts.ts'
import { MicrophoneIcon } from './icons.tsx'
import type { Take } from './take.ts'

export function Microphone({ onFile }: { onFile(file: File): void }) {
  const take = useRef<Take | undefined>(undefined)
  const seconds = useSignal<number | undefined>(undefined)
  const isRefused = useSignal(false)
  const say = words.value
  const canRecord = isSecureContext && navigator.mediaDevices !== undefined
  useEffect(() => () => void take.current?.stop(), [])

  async function start(): Promise<void> {
    isRefused.value = false
    try {
      const { startTake } = await import('./take.ts')
      take.current = await startTake((so) => {
        seconds.value = so
      })
    } catch {
      isRefused.value = true
    }
  }

  async function stop({ isKept }: { isKept: boolean }): Promise<void> {
    const wav = await take.current?.stop()
    take.current = undefined
    seconds.value = undefined
    if (!isKept || wav === undefined) return
    const time = new Date().toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '-')
    onFile(new File([wav], say.recordingName(time), { type: 'audio/wav' }))
  }

  if (seconds.value === undefined)
    return (
      <>
        <button
          type="button"
          class="plain"
          disabled={!canRecord}
          title={canRecord ? undefined : say.microphoneNeedsTls}
          onClick={start}
        >
          <MicrophoneIcon />
          {say.record}
        </button>
        {isRefused.value && (
          <p class="refused" role="alert">
            {say.noMicrophone}
          </p>
        )}
      </>
    )
  return (
    <fieldset class="take" aria-label={say.recordingNow}>
      <span class="live" aria-hidden="true" />
      <span class="time">{duration(seconds.value)}</span>
      <button type="button" class="main" onClick={() => stop({ isKept: true })}>
        {say.stopRecording}
      </button>
      <button type="button" class="plain" onClick={() => stop({ isKept: false })}>
        {say.discardRecording}
      </button>
    </fieldset>
  )
}
