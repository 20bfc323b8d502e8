/** Reads the tags that a WAV carries, before its audio or behind it, out of a file that passes by in pieces. */
import { readId3Tag } from './id3-reader.ts'
import { type Incremental, type Parser, runIncrementally } from './incremental.ts'
import {
  type ChunkHead,
  enterRiff,
  type RiffCursor,
  readBytes,
  readChunkHead,
  skipChunk,
  skipPadByte,
} from './riff-chunks.ts'
import { type Tags, type TagTexts, tidyTags } from './tags.ts'
import { is64Bit, readDataSize, readLongDataSize } from './wav-data-size.ts'
import { WavError } from './wav-error.ts'
import { readBroadcastChunk, readInfoList } from './wav-tag-chunks.ts'

/** No more of a chunk is looked at: what stands behind it is a picture. */
const MAX_TAG_BYTES = 65_536
const PIECE_BYTES = 1024
const MAX_CHUNKS = 1000

type Kind = 'bext' | 'info' | 'id3'
type Found = { [kind in Kind]?: Tags }

const readers: Readonly<
  Record<string, { kind: Kind; read(bytes: Uint8Array, bigEndian: boolean): TagTexts }>
> = {
  LIST: { kind: 'info', read: readInfoList },
  bext: { kind: 'bext', read: readBroadcastChunk },
  'id3 ': { kind: 'id3', read: readId3Tag },
  'ID3 ': { kind: 'id3', read: readId3Tag },
}

/**
 * Makes a reader to `push` the whole of a file into, in pieces of any size. It holds at most 64 KiB, however large the file is
 * and whatever its sizes say; it gives its tags at the end, or earlier where nothing more can come, and refuses nothing:
 * whatever is no WAV has no tags.
 */
export function createWavTagReader(): Incremental<Tags> {
  return runIncrementally(readTags())
}

function* readTags(): Parser<Tags> {
  const found: Found = {}
  try {
    yield* walkThrough(found)
  } catch (error) {
    if (!(error instanceof WavError)) throw error // the end of the file, or what is no chunk
  }
  return { ...found.bext, ...found.info, ...found.id3 } // of two that say the same, the one with clearer rules is believed
}

function* walkThrough(found: Found): Parser<void> {
  const cursor = yield* enterRiff()
  let longDataBytes: number | undefined
  for (let count = 0; count < MAX_CHUNKS; count += 1) {
    const chunk = yield* readChunkHead(cursor)
    const reader = readers[chunk.id]
    if (reader !== undefined) {
      const bytes = yield* readStart(cursor, chunk)
      // What comes first stands.
      found[reader.kind] = { ...tidyTags(reader.read(bytes, cursor.bigEndian)), ...found[reader.kind] }
      yield* skipChunk(cursor, chunk, bytes.length)
    } else if (chunk.id === 'data') {
      const dataBytes = yield* readDataSize(cursor, chunk, longDataBytes)
      if (dataBytes === undefined) return // it goes on to the end of the file
      yield { skip: dataBytes }
      cursor.position += dataBytes
      yield* skipPadByte(cursor, dataBytes)
    } else if (chunk.id === 'ds64' && is64Bit(cursor)) {
      longDataBytes = yield* readLongDataSize(cursor, chunk)
    } else {
      yield* skipChunk(cursor, chunk)
    }
  }
}

/** The chunk's content, or the start of a longer one; taken in small pieces, so that it is not copied again for each push. */
function* readStart(cursor: RiffCursor, chunk: ChunkHead): Parser<Uint8Array> {
  const wanted = Math.min(chunk.bytes, MAX_TAG_BYTES)
  const pieces: Uint8Array[] = []
  for (let left = wanted; left > 0; ) {
    const piece = yield* readBytes(cursor, Math.min(left, PIECE_BYTES))
    if (piece.length === 0) break
    pieces.push(piece)
    left -= piece.length
  }
  return Buffer.concat(pieces)
}
