/** Plans a recording's MP3: its format, its exact number of frames, and the segments that it is encoded in. */
import type { PcmSource } from './pcm-source.ts'

export interface Mp3Target {
  /** Hz. */
  readonly sampleRate: number
  readonly channels: 1 | 2
  readonly samplesPerFrame: 1152 | 576
}

export interface PlannedSegment {
  readonly seq: number
  /** Bytes of the WAV file that it reads: [startByte, endByte). */
  readonly startByte: number
  readonly endByte: number
  /** First frame of the whole MP3 that it gives, and how many it gives. */
  readonly firstFrame: number
  readonly frames: number
  /** Frames that it encodes before `firstFrame` and drops. */
  readonly warmUpFrames: number
}

export interface Plan {
  readonly target: Mp3Target
  /** Samples of one channel that the MP3 decodes to. */
  readonly outputSamples: number
  readonly totalFrames: number
  /** Silence that the encoder adds at the end so that the last frame is whole. */
  readonly paddingSamples: number
  readonly segments: readonly PlannedSegment[]
}

/** Samples of silence that LAME puts in front. */
export const ENCODER_DELAY = 576

const mp3Rates = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] as const
const HIGHEST_RATE = 48_000
const CD_RATE = 44_100

/**
 * What the recording becomes when nothing else is asked for. A rate that MP3 knows stays. Another goes to the next
 * higher one, so that nothing is lost, unless a lower one is within 1 % (11,127 Hz -> 11,025 Hz). Above 48 kHz it is
 * 44.1 kHz for its multiples, 48 kHz for all others. More than two channels are mixed down to two.
 */
export function mp3TargetOf(source: PcmSource): Mp3Target {
  const sampleRate = mp3RateOf(source.sampleRate)
  return {
    sampleRate,
    channels: source.channels === 1 ? 1 : 2,
    samplesPerFrame: sampleRate >= 32_000 ? 1152 : 576,
  }
}

function mp3RateOf(rate: number): number {
  if (rate > HIGHEST_RATE && rate % CD_RATE === 0) return CD_RATE
  return mp3Rates.find((known) => known >= 0.99 * rate) ?? HIGHEST_RATE
}

/**
 * Plans one segment for the whole recording, as yet, however long a segment should be.
 *
 * @param samples of one channel, at least 1, as measured.
 */
export function planRecording(
  source: PcmSource,
  samples: number,
  _options: { readonly segmentSeconds: number },
): Plan {
  const target = mp3TargetOf(source)
  const outputSamples = resampledLength(samples, source.sampleRate, target.sampleRate)
  const { totalFrames, paddingSamples } = framesOf(outputSamples, target.samplesPerFrame)
  const whole: PlannedSegment = {
    seq: 0,
    startByte: source.dataStart,
    endByte: source.dataStart + samples * source.blockAlign,
    firstFrame: 0,
    frames: totalFrames,
    warmUpFrames: 0,
  }
  return { target, outputSamples, totalFrames, paddingSamples, segments: [whole] }
}

/** Samples after resampling: the smallest whole number that loses none. */
function resampledLength(samples: number, from: number, to: number): number {
  // The product leaves the safe integers in recordings of some gigabytes.
  return Number((BigInt(samples) * BigInt(to) + BigInt(from) - 1n) / BigInt(from))
}

/**
 * What LAME makes of so many samples: its delay in front, and at least as much silence behind, up to a whole frame.
 * Measured to hold for every length from 1 up, at every rate.
 */
function framesOf(samples: number, samplesPerFrame: number): { totalFrames: number; paddingSamples: number } {
  const toFullFrame = samplesPerFrame - ((samples + ENCODER_DELAY) % samplesPerFrame)
  const paddingSamples = toFullFrame < ENCODER_DELAY ? toFullFrame + samplesPerFrame : toFullFrame
  return { totalFrames: (samples + ENCODER_DELAY + paddingSamples) / samplesPerFrame, paddingSamples }
}
