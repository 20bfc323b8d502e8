/** Reads a WAV's header from the first bytes of a file that arrives in pieces (RIFF/WAVE, EBU Tech 3306, BS.2088). */
import { type Incremental, type Parser, runIncrementally } from './incremental.ts'
import type { PcmSource } from './pcm-source.ts'
import {
  type ChunkHead,
  enterRiff,
  numbersOf,
  type RiffCursor,
  readChunkHead,
  skipChunk,
} from './riff-chunks.ts'
import { is64Bit, readDataSize, readLongDataSize, readWholeOf } from './wav-data-size.ts'
import { WavError } from './wav-error.ts'
import { FORMAT_BYTES, parseFormat, type WavFormat } from './wav-format.ts'

export interface WavHeader {
  readonly source: PcmSource
  /** For people, e.g. `PCM 16-bit`. */
  readonly codec: string
  /** Size of the audio as the header states it; undefined where the header leaves it open. */
  readonly declaredDataBytes: number | undefined
  /**
   * Where the file ends as its 32-bit RIFF size says; undefined where it is left open, and in RF64 and BW64.
   * Files over 4 GiB whose writer did not mind have it modulo 2^32.
   */
  readonly declaredEnd: number | undefined
  /** Samples of one channel as a `fact` chunk before the audio states them: packed codecs fill their last block up. */
  readonly factSamples: number | undefined
}

export type WavHeaderReader = Incremental<WavHeader>

/** Real files have a dozen chunks; without a bound, empty ones could go on for ever. */
const MAX_CHUNKS = 1000

/**
 * Makes a reader to `push` a file's first bytes into, in pieces of any size, until it gives the header; it wants at
 * most 8 bytes of the audio itself. Chunks that are not needed are passed over, not kept. `push` and `end` throw
 * {@link WavError} as soon as it is certain that the file is no WAV, or none that can be converted.
 */
export function createWavHeaderReader(): WavHeaderReader {
  return runIncrementally(readHeader())
}

function* readHeader(): Parser<WavHeader> {
  const cursor = yield* enterRiff()
  let format: WavFormat | undefined
  let longDataBytes: number | undefined
  let factSamples: number | undefined
  for (let count = 0; count < MAX_CHUNKS; count += 1) {
    const chunk = yield* readChunkHead(cursor)
    if (chunk.id === 'data') {
      if (format === undefined) {
        throw new WavError('malformed', 'The WAV has no "fmt " chunk before its audio.')
      }
      const declaredDataBytes = yield* readDataSize(cursor, chunk, longDataBytes)
      return headerOf(cursor, format, { declaredDataBytes, factSamples })
    }
    if (chunk.id === 'fmt ' && format === undefined) {
      format = yield* readFormat(cursor, chunk)
    } else if (chunk.id === 'fact' && chunk.bytes >= 4) {
      factSamples = yield* readFact(cursor, chunk)
    } else if (chunk.id === 'ds64' && is64Bit(cursor)) {
      longDataBytes = yield* readLongDataSize(cursor, chunk)
    } else {
      yield* skipChunk(cursor, chunk)
    }
  }
  throw new WavError('malformed', `The WAV has more than ${MAX_CHUNKS} chunks before its audio.`)
}

function headerOf(
  cursor: RiffCursor,
  format: WavFormat,
  declared: Pick<WavHeader, 'declaredDataBytes' | 'factSamples'>,
): WavHeader {
  const { codec, ...samples } = format
  return {
    source: { ...samples, dataStart: cursor.position },
    codec,
    ...declared,
    declaredEnd: is64Bit(cursor) ? undefined : cursor.declaredEnd,
  }
}

function* readFact(cursor: RiffCursor, chunk: ChunkHead): Parser<number> {
  const bytes = yield* readWholeOf(cursor, chunk, 4)
  yield* skipChunk(cursor, chunk, bytes.length)
  return numbersOf(bytes, cursor.bigEndian).u32(0)
}

function* readFormat(cursor: RiffCursor, chunk: ChunkHead): Parser<WavFormat> {
  const bytes = yield* readWholeOf(cursor, chunk, FORMAT_BYTES)
  const format = parseFormat(bytes, cursor.bigEndian)
  yield* skipChunk(cursor, chunk, bytes.length)
  return format
}
