/** What is uploaded: a few recordings of different kinds, and for each the MP3 that must come of it, judged by plain ffmpeg. */
import type { EncodeOptions } from '@wavemill/core/encode-options'
import { encodeInOnePass, type Pcm } from '../../worker/test/support/one-pass.ts'
import { ffmpegSampleCount } from '../support/judges.ts'
import { music, speech } from '../support/material.ts'
import { buildWav, streamAudio, type WavSpec } from '../support/wav.ts'

/** The service's SEGMENT_SECONDS, the least that it takes. */
export const SEGMENT_SECONDS = 10

export interface Recording {
  readonly name: string
  readonly wav: Buffer
  /** The fields of the upload beside user, token and file. */
  readonly options: Readonly<Record<string, string>>
  /** @throws Error unless the MP3 holds exactly what one plain ffmpeg makes of this WAV, and as many samples. */
  check(mp3: Buffer): Promise<void>
}

/** One short, the others of 2 to 5 segments; float goes through our own process on its way to ffmpeg. */
export function makeRecordings(): readonly [Recording, ...Recording[]] {
  return [
    recording('short', 3, { channels: 1, sampleRate: 22_050, material: speech() }),
    recording('single', 9, { channels: 2, sampleRate: 44_100, material: music() }),
    recording('several', 25, { channels: 1, sampleRate: 44_100, material: speech() }, { quality: 0 }),
    recording('long', 45, { channels: 2, sampleRate: 32_000, material: music() }, { bitrate: 128 }),
    recording('float', 18, { channels: 2, sampleRate: 48_000, material: music(), encoding: 'f32' }),
  ]
}

function recording(
  name: string,
  seconds: number,
  format: Required<Pick<WavSpec, 'channels' | 'sampleRate' | 'material'>> & { encoding?: 's16' | 'f32' },
  options: EncodeOptions = {},
): Recording {
  const { sampleRate, channels, encoding = 's16' } = format
  const samples = seconds * sampleRate + 123
  const spec = { ...format, samples, loopSamples: 3 * sampleRate }
  return {
    name,
    wav: buildWav(spec),
    options: Object.fromEntries(Object.entries(options).map(([field, value]) => [field, String(value)])),
    async check(mp3) {
      const pcm: Pcm = { bytes: Buffer.concat([...streamAudio(spec)]), encoding, sampleRate, channels }
      const frames = await encodeInOnePass(pcm, options, seconds > SEGMENT_SECONDS ? 0 : 1)
      // In front of them stand the tag and the Info frame.
      if (!mp3.subarray(-frames.length).equals(frames)) throw new Error(`"${name}" has other frames`)
      const heard = await ffmpegSampleCount(mp3)
      if (heard !== samples) throw new Error(`"${name}" has ${heard} samples, not ${samples}`)
    },
  }
}
