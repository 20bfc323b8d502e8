/** A source as the header reader gives it, of 16-bit samples. */
import type { PcmSource } from '../../src/pcm-source.ts'

export function sourceOf(sampleRate: number, channels = 2, channelMask?: number): PcmSource {
  return {
    ...{ encoding: 's16le', sampleRate, channels, bitsPerSample: 16, bytesPerSample: 2 },
    ...{ blockAlign: 2 * channels, channelMask, dataStart: 44 },
  }
}
