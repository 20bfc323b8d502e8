/** Encodes one segment: its bytes of the WAV through ffmpeg, and the planned frames of what comes out into chunks. */
import { Readable } from 'node:stream'
import { rateControlOf, storedEncodeOptions } from '@wavemill/core/encode-options'
import { TranscodeError } from '@wavemill/core/failures'
import { mixdownOf } from '@wavemill/core/mixdown'
import { planMp3 } from '@wavemill/core/mp3-target'
import { headForPacked } from '@wavemill/core/packed-formats'
import { isPacked } from '@wavemill/core/pcm-source'
import type { TakenSegment } from '@wavemill/prisma/take-segment'
import { createChunkWriter } from './chunk-writer.ts'
import { createSampleCleaner } from './clean-samples.ts'
import { type Encoding, encodeMp3 } from './ffmpeg.ts'
import { createProgressReport } from './report-progress.ts'
import { splitFrames } from './split-frames.ts'
import type { WorkerTools } from './worker-tools.ts'

const STALL_LIMIT_MS = 30_000
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
  const { warmUpFrames, frames } = segment
  const chunks = createChunkWriter(tools.db, segment)
  const reportProgress = createProgressReport(tools.db, segment)
  const mp3 = withStallLimit(openMp3(tools, segment, signal), tools.stallLimitMs ?? STALL_LIMIT_MS)
  let seen = 0
  for await (const someFrames of splitFrames(mp3, noMp3)) {
    for (const frame of someFrames) {
      seen += 1
      if (seen > warmUpFrames && seen <= warmUpFrames + frames) await chunks.add(frame)
    }
    await reportProgress(Math.max(0, seen - warmUpFrames))
  }
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
    ...inputOf(tools, segment),
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

/** Raw samples, made fit for the encoder; or packed ones, behind a header of our own. */
function inputOf(
  tools: WorkerTools,
  segment: TakenSegment,
): Pick<Encoding, 'input' | 'encoding' | 'inputSamples'> {
  const { source, samples } = segment
  if (!isPacked(source)) {
    const cleaner = createSampleCleaner(source.encoding)
    return { input: streamOf(readAudio(tools, segment, cleaner.push)), encoding: cleaner.encoding }
  }
  const head = headForPacked(source)
  async function* withHead(): AsyncGenerator<Uint8Array> {
    yield head
    yield* readAudio(tools, segment)
  }
  return { input: streamOf(withHead()), encoding: 'wav', inputSamples: samples }
}

function streamOf(bytes: AsyncIterable<Uint8Array>): Readable {
  return Readable.from(bytes, { objectMode: false })
}

/** The segment's bytes of the WAV. @throws TranscodeError `source-lost` if they are not all there. */
async function* readAudio(
  { wavStore }: WorkerTools,
  { recordKey, startByte, endByte }: TakenSegment,
  clean = (bytes: Uint8Array): Uint8Array => bytes,
): AsyncGenerator<Uint8Array> {
  let read = 0
  try {
    for await (const bytes of wavStore.openRange(recordKey, startByte, endByte)) {
      read += bytes.byteLength
      yield clean(bytes)
    }
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    throw new TranscodeError('source-lost', 'the stored WAV is gone', { permanent: true, cause })
  }
  if (read === endByte - startByte) return
  const detail = `the stored WAV ends ${endByte - startByte - read} bytes too early`
  throw new TranscodeError('source-lost', detail, { permanent: true })
}

/** Fails, and thereby kills ffmpeg, where nothing comes for so long while somebody waits for it. */
async function* withStallLimit(mp3: Readable, limitMs: number): AsyncGenerator<Buffer> {
  const stop = () => {
    const detail = `ffmpeg made no progress for ${limitMs / 1000} s`
    mp3.destroy(new TranscodeError('attempts-exhausted', detail, { permanent: false }))
  }
  let timer = setTimeout(stop, limitMs)
  try {
    for await (const bytes of mp3) {
      clearTimeout(timer) // how long the chunks take is not ffmpeg's doing
      yield bytes
      timer = setTimeout(stop, limitMs)
    }
  } finally {
    clearTimeout(timer)
  }
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

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
