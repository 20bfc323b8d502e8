/** Plans a recording's MP3 and the segments that it is encoded in, so that their frames join without a seam. */
import type { EncodeOptions } from './encode-options.ts'
import { type Mp3Plan, planMp3, sourceSampleAt } from './mp3-target.ts'
import { isPacked, type PcmSource, samplesPerBlockOf } from './pcm-source.ts'

export interface PlannedSegment {
  readonly seq: number
  /** Bytes of the WAV file that it reads, warm-up and look-ahead included: [startByte, endByte). */
  readonly startByte: number
  readonly endByte: number
  /** First frame of the whole MP3 that it gives, and how many it gives. */
  readonly firstFrame: number
  readonly frames: number
  /** Frames that it encodes before `firstFrame` and drops. */
  readonly warmUpFrames: number
}

export interface Plan extends Mp3Plan {
  readonly segments: readonly PlannedSegment[]
}

/** After so many frames of 44.1 kHz CBR the padding bytes begin anew; every segment starts at a multiple of it. */
const PERIOD_FRAMES = 49
/**
 * So many frames of warm-up, and the encoder knows of what came before all that one pass would know: its threshold of
 * hearing takes up to 190 frames to settle after a loud passage (docs/joining.md).
 */
const WARM_UP_FRAMES = 4 * PERIOD_FRAMES
/** The encoder looks 224 samples beyond a frame's end; one frame is more than that, and room for the resampler's own. */
const LOOK_AHEAD_FRAMES = 1
/** A rate whose segments could start only at larger distances than this would pay too much for its warm-up. */
const MAX_STEP_FRAMES = 10 * PERIOD_FRAMES
/** swresample has exact filters for so many positions between two samples; beyond that, it takes the nearest. */
const MAX_FILTER_PHASES = 1024

/**
 * Divides the recording into segments of about `segmentSeconds`, all of about the same length; what is no longer than one
 * and a half of them stays whole, and so does what ffmpeg has to unpack. Each reads some frames before its own, which it
 * drops, and a little beyond its end.
 *
 * @param samples of one channel, at least 1, as measured.
 * @param options `segmentSeconds: Infinity` gives one segment, whatever the recording.
 */
export function planRecording(
  source: PcmSource,
  samples: number,
  options: { readonly segmentSeconds: number; readonly encode?: EncodeOptions },
): Plan {
  const mp3 = planMp3(source, samples, options.encode)
  const starts = startsOf(mp3, source, options.segmentSeconds)
  const warmUpFrames = Math.ceil(WARM_UP_FRAMES / starts.step) * starts.step
  const segments = starts.frames.map((firstFrame, seq) => {
    const endFrame = starts.frames[seq + 1] ?? mp3.totalFrames
    const warmUp = Math.min(warmUpFrames, firstFrame)
    return {
      seq,
      ...bytesOf(source, samples, mp3, firstFrame - warmUp, endFrame),
      firstFrame,
      frames: endFrame - firstFrame,
      warmUpFrames: warmUp,
    }
  })
  return { ...mp3, segments }
}

/** The first frame of each segment, all of them multiples of `step`. */
function startsOf(
  { target, totalFrames }: Mp3Plan,
  source: PcmSource,
  segmentSeconds: number,
): { step: number; frames: number[] } {
  const step = isPacked(source) ? undefined : stepOf(target, source.sampleRate)
  if (step === undefined) return { step: 1, frames: [0] }
  const segmentFrames = (segmentSeconds * target.sampleRate) / target.samplesPerFrame
  const wanted = Math.round(totalFrames / segmentFrames)
  const count = Math.max(1, Math.min(wanted, Math.floor(totalFrames / step)))
  const stepsInSegment = totalFrames / count / step
  const frames = Array.from({ length: count }, (_, seq) => Math.floor(seq * stepsInSegment) * step)
  return { step, frames }
}

/**
 * The smallest distance at which segments can start: whole padding periods, and, where the rate is converted, whole samples
 * at both rates, so that the resampler is at the same point as in one pass.
 *
 * @returns undefined if there is none in reach: such a recording has one segment.
 */
function stepOf(target: Mp3Plan['target'], sourceRate: number): number | undefined {
  if (sourceRate === target.sampleRate) return PERIOD_FRAMES
  const phases = target.sampleRate / greatestCommonDivisor(sourceRate, target.sampleRate)
  const periodSamples = PERIOD_FRAMES * target.samplesPerFrame * sourceRate
  const periods = target.sampleRate / greatestCommonDivisor(periodSamples, target.sampleRate)
  const step = periods * PERIOD_FRAMES
  return step <= MAX_STEP_FRAMES && phases <= MAX_FILTER_PHASES ? step : undefined
}

/** What a segment reads in order to encode the frames [firstFrame, endFrame); the last one reads to the end. */
function bytesOf(
  source: PcmSource,
  samples: number,
  { target, totalFrames }: Mp3Plan,
  firstFrame: number,
  endFrame: number,
): { startByte: number; endByte: number } {
  const sampleAt = (frame: number) => sourceSampleAt(frame, source, target)
  const byteAt = (sample: number) =>
    source.dataStart + Math.ceil(sample / samplesPerBlockOf(source)) * source.blockAlign
  const end = endFrame === totalFrames ? samples : Math.min(samples, sampleAt(endFrame + LOOK_AHEAD_FRAMES))
  return {
    startByte: byteAt(sampleAt(firstFrame)),
    endByte: byteAt(end),
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
