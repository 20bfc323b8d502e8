/** Draws a recording's stored peaks; loaded only when something is played. */
import WaveSurfer from 'wavesurfer.js'
import { type Peaks, readPeaks } from '../api/calls.ts'
import type { User } from '../api/recording.ts'

interface Drawing {
  readonly user: User
  readonly id: string
  readonly seconds: number
  readonly audio: HTMLAudioElement
  readonly container: HTMLElement
}

/** @returns what removes it. */
export async function drawWaveform({ user, id, seconds, audio, container }: Drawing): Promise<() => void> {
  const peaks = await readPeaks(user, id).catch(() => undefined) // it can be heard without being seen
  if (peaks === undefined) return () => {}
  const style = getComputedStyle(container)
  const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce
  const waveform = WaveSurfer.create({
    container,
    media: audio,
    peaks: [amplitudes(peaks)],
    duration: seconds,
    height: 72,
    barWidth: 2,
    barGap: 1,
    barRadius: 1,
    cursorWidth: 0,
    normalize: true,
    waveColor: style.getPropertyValue('--waveform').trim(),
    progressColor: style.getPropertyValue('--accent').trim(),
    ...(nonce !== undefined && { cspNonce: nonce }),
  })
  return () => waveform.destroy()
}

/** The lowest and the highest sample of each pixel, -1..1, as WaveSurfer takes them: one after the other. */
function amplitudes({ data, bits }: Peaks): number[] {
  const full = 2 ** (bits - 1)
  return data.map((sample) => sample / full)
}
