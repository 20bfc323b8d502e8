/** Reads how much audio a WAV says that it holds: in the `data` chunk's own head, or in `ds64`. */
import type { Parser } from './incremental.ts'
import {
  type ChunkHead,
  cutHeader,
  isChunkId,
  numbersOf,
  OPEN_SIZE,
  type RiffCursor,
  readBytes,
  skipChunk,
  textAt,
} from './riff-chunks.ts'
import { WavError } from './wav-error.ts'

/** `ds64` of RF64 and BW64: RIFF size, data size, sample count, each of 64 bits; then sizes of other chunks. */
export function* readLongDataSize(cursor: RiffCursor, chunk: ChunkHead): Parser<number | undefined> {
  const bytes = yield* readWholeOf(cursor, chunk, 24)
  if (bytes.length < 24) throw new WavError('malformed', 'The WAV\'s "ds64" chunk is too short.')
  yield* skipChunk(cursor, chunk, bytes.length)
  const size = numbersOf(bytes, cursor.bigEndian).u64(8)
  if (size === 0n || size === 2n ** 64n - 1n || size === BigInt(OPEN_SIZE)) return undefined
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new WavError('malformed', `The WAV's header claims ${size} bytes of audio.`)
  }
  return Number(size)
}

/** The first `most` bytes of a chunk, or all of a smaller one. */
export function* readWholeOf(cursor: RiffCursor, chunk: ChunkHead, most: number): Parser<Uint8Array> {
  const wanted = Math.min(most, chunk.bytes)
  const bytes = yield* readBytes(cursor, wanted)
  if (bytes.length < wanted) throw cutHeader()
  return bytes
}

/** What the header says that the audio has, with the cursor behind the head of its chunk; undefined where that is left open. */
export function* readDataSize(
  cursor: RiffCursor,
  chunk: ChunkHead,
  longDataBytes: number | undefined,
): Parser<number | undefined> {
  if (chunk.bytes === OPEN_SIZE) return is64Bit(cursor) ? longDataBytes : undefined
  if (chunk.bytes > 0) return chunk.bytes
  if (yield* anotherChunkComes(cursor)) {
    throw new WavError('no-audio', 'The WAV holds no audio: its "data" chunk is empty.')
  }
  return undefined
}

/** Tells an empty `data` chunk with others behind it from the open size of a recorder that was cut off. */
function* anotherChunkComes(cursor: RiffCursor): Parser<boolean> {
  const next = yield { peek: 8 }
  if (next.length < 8 || cursor.declaredEnd === undefined || !isChunkId(textAt(next, 0))) return false
  const end = cursor.position + 8 + numbersOf(next, cursor.bigEndian).u32(4)
  return end <= cursor.declaredEnd
}

export function is64Bit({ container }: RiffCursor): boolean {
  return container === 'RF64' || container === 'BW64'
}
