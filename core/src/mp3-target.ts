/** What MP3 a recording becomes: rate, channels, and exactly how many samples and frames. */
import type { EncodeOptions } from './encode-options.ts'
import { ENCODER_DELAY, MP3_RATES, samplesPerFrameOf } from './mp3-format.ts'
import type { PcmSource } from './pcm-source.ts'

export interface Mp3Target {
  /** Hz. */
  readonly sampleRate: number
  readonly channels: 1 | 2
  readonly samplesPerFrame: 1152 | 576
}

export interface Mp3Plan {
  readonly target: Mp3Target
  /** Samples of one channel that the MP3 decodes to. */
  readonly outputSamples: number
  readonly totalFrames: number
  /** Silence that the encoder adds at the end so that the last frame is whole. */
  readonly paddingSamples: number
}

const HIGHEST_RATE = 48_000
const CD_RATE = 44_100

/** @param samples of one channel, at least 1, as measured. */
export function planMp3(source: PcmSource, samples: number, options: EncodeOptions = {}): Mp3Plan {
  const target = mp3TargetOf(source, options)
  const outputSamples = resampledLength(samples, source.sampleRate, target.sampleRate)
  return { target, outputSamples, ...framesOf(outputSamples, target.samplesPerFrame) }
}

/**
 * Where the options ask for nothing, a rate that MP3 knows stays. Another goes to the next higher one, so that nothing is
 * lost, unless a lower one is within 1 % (11,127 Hz -> 11,025 Hz). Above 48 kHz it is 44.1 kHz for its multiples, 48 kHz
 * for all others. More than two channels are mixed down to two.
 */
export function mp3TargetOf(source: PcmSource, options: EncodeOptions = {}): Mp3Target {
  const sampleRate = options.sampleRate ?? mp3RateOf(source.sampleRate)
  const channels = options.channels ?? (source.channels === 1 ? 1 : 2)
  return { sampleRate, channels, samplesPerFrame: samplesPerFrameOf(sampleRate) }
}

function mp3RateOf(rate: number): number {
  if (rate > HIGHEST_RATE && rate % CD_RATE === 0) return CD_RATE
  return MP3_RATES.find((known) => known >= 0.99 * rate) ?? HIGHEST_RATE
}

/** The sample of the source that a frame of the MP3 begins with: the next one, where it begins between two. */
export function sourceSampleAt(
  frame: number,
  source: Pick<PcmSource, 'sampleRate'>,
  target: Mp3Target,
): number {
  return resampledLength(frame * target.samplesPerFrame, target.sampleRate, source.sampleRate)
}

/** Samples after resampling: the smallest whole number that loses none. */
export function resampledLength(samples: number, from: number, to: number): number {
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
