/** Encodes one segment: its bytes of the WAV through ffmpeg, and the planned frames of what comes out into chunks. */
import type { Readable } from 'node:stream'
import { rateControlOf, storedEncodeOptions } from '@wavemill/core/encode-options'
import { TranscodeError } from '@wavemill/core/failures'
import { mixdownOf } from '@wavemill/core/mixdown'
import { planMp3 } from '@wavemill/core/mp3-target'
import { isPacked } from '@wavemill/core/pcm-source'
import type { TakenSegment } from '@wavemill/prisma/take-segment'
import { createChunkWriter } from './chunk-writer.ts'
import { limitsOf, withLimits } from './encode-limits.ts'
import { encodeMp3 } from './ffmpeg.ts'
import { createProgressReport } from './report-progress.ts'
import { openInput, requireAudio } from './segment-input.ts'
import { splitFrames } from './split-frames.ts'
import type { WorkerTools } from './worker-tools.ts'

const noMp3 = {
  code: 'attempts-exhausted',
  detail: 'ffmpeg gave something else than whole MP3 frames',
  permanent: false,
} as const

/**
 * @returns the MP3 bytes that were written.
 * @throws TranscodeError, StaleAttempt, an AbortError, or an error of the database or the WAV store.
 */
export async function encodeSegment(
  tools: WorkerTools,
  segment: TakenSegment,
  signal: AbortSignal,
): Promise<number> {
  await requireAudio(tools.wavStore, segment)
  const { warmUpFrames, frames } = segment
  const chunks = createChunkWriter(tools.db, segment)
  const reportProgress = createProgressReport(tools.db, segment)
  const mp3 = withLimits(openMp3(tools, segment, signal), limitsOf(segment, tools.stallLimitMs))
  let seen = 0
  for await (const someFrames of splitFrames(mp3, noMp3)) {
    for (const frame of someFrames) {
      seen += 1
      if (seen > warmUpFrames && seen <= warmUpFrames + frames) await chunks.add(frame)
    }
    await reportProgress(Math.max(0, seen - warmUpFrames))
  }
  // What is cut off meanwhile is to ffmpeg just an earlier end.
  await requireAudio(tools.wavStore, segment)
  requirePlannedFrames(segment, seen)
  return await chunks.end()
}

function openMp3(tools: WorkerTools, segment: TakenSegment, signal: AbortSignal): Readable {
  const { source } = segment
  const options = storedEncodeOptions(segment.options)
  const { target, outputSamples } = planMp3(source, segment.samples, options)
  const firstSample = (segment.firstFrame - segment.warmUpFrames) * target.samplesPerFrame
  const isExact = target.sampleRate === source.sampleRate || !endsRecording(segment)
  return encodeMp3({
    ffmpegPath: tools.ffmpegPath,
    ...openInput(tools.wavStore, segment),
    inputRate: source.sampleRate,
    inputChannels: source.channels,
    outputRate: target.sampleRate,
    outputChannels: target.channels,
    mixdown: mixdownOf(source, target.channels),
    outputSamples: isExact ? undefined : outputSamples - firstSample,
    rateControl: rateControlOf(options),
    reservoir: segment.segmentsTotal === 1,
    signal,
  })
}

/** ffmpeg ended well, but a segment is done only with the planned frames; those after them are the encoder's flush. */
function requirePlannedFrames(segment: TakenSegment, seen: number): void {
  const planned = segment.warmUpFrames + segment.frames
  if (endsRecording(segment) ? seen === planned : seen >= planned) return
  if (isPacked(segment.source)) {
    const detail = `only ${seen} of ${planned} frames could be decoded`
    throw new TranscodeError('undecodable', detail, { permanent: true })
  }
  throw new TranscodeError('wrong-length', `ffmpeg gave ${seen} frames, not ${planned}`, { permanent: true })
}

function endsRecording(segment: TakenSegment): boolean {
  return segment.seq === segment.segmentsTotal - 1
}
