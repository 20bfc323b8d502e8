/** A recording in the making: what the microphone gives, as 16-bit WAV. */
import collectorUrl from './sample-collector.js?url&no-inline'
import { wavOf } from './wav-of.ts'

export interface Take {
  /** @returns the WAV; the microphone is let go. */
  stop(): Promise<Blob>
}

/**
 * Asks the browser's user for the microphone first. What is processed for calls is off: this is a recorder.
 *
 * @param onSeconds how long it is by now.
 * @throws DOMException if it may not, or cannot.
 */
export async function startTake(onSeconds: (seconds: number) => void): Promise<Take> {
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }
  const stream = await navigator.mediaDevices.getUserMedia({ audio })
  const context = new AudioContext()
  const stopAll = async () => {
    for (const track of stream.getTracks()) track.stop()
    await context.close()
  }
  try {
    await context.audioWorklet.addModule(collectorUrl)
    const source = context.createMediaStreamSource(stream)
    const channels = Math.min(source.channelCount, 2)
    const collector = new AudioWorkletNode(context, 'sample-collector', {
      channelCount: channels,
      channelCountMode: 'explicit',
    })
    const pieces: Blob[] = []
    let samples = 0
    let finish = () => {}
    collector.port.onmessage = ({ data }: MessageEvent<Int16Array<ArrayBuffer> | null>) => {
      if (data === null) return finish()
      pieces.push(new Blob([data])) // which, unlike an array, need not stay in memory
      samples += data.length / channels
      onSeconds(samples / context.sampleRate)
    }
    source.connect(collector)
    onSeconds(0)
    return {
      async stop() {
        const { sampleRate } = context
        await new Promise<void>((resolve) => {
          finish = resolve
          collector.port.postMessage(null)
        })
        collector.port.onmessage = null
        await stopAll()
        return wavOf(pieces, { sampleRate, channels })
      },
    }
  } catch (error) {
    await stopAll()
    throw error
  }
}
