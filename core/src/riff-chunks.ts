/** Walks through the chunks of a RIFF, RIFX, RF64 or BW64 file that arrives in pieces. */
import { recognizeFile } from './file-signatures.ts'
import type { Parser } from './incremental.ts'
import { WavError } from './wav-error.ts'

/** Both where the size is not known yet: what live recorders leave, and what RF64 writes in its 32-bit fields. */
export const OPEN_SIZE = 0xffff_ffff

/** A skipped chunk may hold pictures or a whole edit list, but not more than this. */
const MAX_SKIPPED_BYTES = 256 * 1024 * 1024

/** Where the walk is, and how the file stores its numbers. */
export interface RiffCursor {
  readonly container: Container
  readonly bigEndian: boolean
  /** Where the file ends as its RIFF header says; undefined where it leaves that open. */
  readonly declaredEnd: number | undefined
  /** Bytes of the file that are behind the cursor. */
  position: number
}

export interface ChunkHead {
  readonly id: string
  readonly bytes: number
}

const containers = ['RIFF', 'RIFX', 'RF64', 'BW64'] as const
type Container = (typeof containers)[number]

/** Reads `RIFF....WAVE`. @throws WavError `not-wav` if that is not how the file begins. */
export function* enterRiff(): Parser<RiffCursor> {
  const start = yield { take: 12 }
  const container = containers.find((id) => id === textAt(start, 0))
  if (container === undefined || start.length < 12) throw notWav(start)
  const form = textAt(start, 8)
  if (form !== 'WAVE') {
    const type = isChunkId(form) ? `of type "${form}"` : 'of an unknown type'
    throw new WavError('not-wav', `The file is a RIFF ${type}, not a WAV.`)
  }
  const bigEndian = container === 'RIFX'
  const bytes = numbersOf(start, bigEndian).u32(4)
  const isOpen = bytes === 0 || bytes === OPEN_SIZE
  return { container, bigEndian, declaredEnd: isOpen ? undefined : 8 + bytes, position: 12 }
}

/** Reads the next chunk's id and size. @throws WavError where there is none. */
export function* readChunkHead(cursor: RiffCursor): Parser<ChunkHead> {
  const head = yield* readBytes(cursor, 8)
  if (head.length === 0 && cursor.declaredEnd !== undefined && cursor.position >= cursor.declaredEnd) {
    throw new WavError('no-audio', 'The WAV holds no audio: it has no "data" chunk.')
  }
  if (head.length < 8) throw cutHeader()
  const id = textAt(head, 0)
  if (!isChunkId(id)) {
    throw new WavError('malformed', `The WAV is damaged: there is no chunk at byte ${cursor.position - 8}.`)
  }
  return { id, bytes: numbersOf(head, cursor.bigEndian).u32(4) }
}

/**
 * Passes over what is left of a chunk, and over its pad byte: an odd chunk is followed by one, which some
 * writers forget.
 *
 * @param alreadyRead bytes of the chunk's content that were read.
 */
export function* skipChunk(cursor: RiffCursor, chunk: ChunkHead, alreadyRead = 0): Parser<void> {
  if (chunk.bytes > MAX_SKIPPED_BYTES) {
    throw new WavError('malformed', `The WAV's "${chunk.id}" chunk claims to be ${chunk.bytes} bytes long.`)
  }
  yield { skip: chunk.bytes - alreadyRead }
  cursor.position += chunk.bytes - alreadyRead
  yield* skipPadByte(cursor, chunk.bytes)
}

/** Passes over the pad byte behind `bytes` of content, if they are odd and it is there. */
export function* skipPadByte(cursor: RiffCursor, bytes: number): Parser<void> {
  if (bytes % 2 === 0) return
  const next = yield { peek: 9 }
  if (padByteComes(next)) yield* readBytes(cursor, 1)
}

/** Reads `count` bytes, or fewer where the file ends. */
export function* readBytes(cursor: RiffCursor, count: number): Parser<Uint8Array> {
  const bytes = yield { take: count }
  cursor.position += bytes.length
  return bytes
}

export function cutHeader(): WavError {
  return new WavError('cut-header', 'The WAV ends in the middle of its header.')
}

/** True if it may be a chunk's name: four printable ASCII characters. */
export function isChunkId(id: string): boolean {
  return /^[\x20-\x7e]{4}$/.test(id)
}

export function textAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4))
}

/** Readers of the unsigned numbers in `bytes`, by offset. */
export function numbersOf(bytes: Uint8Array, bigEndian: boolean) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    u16: (at: number) => view.getUint16(at, !bigEndian),
    u32: (at: number) => view.getUint32(at, !bigEndian),
    u64: (at: number) => view.getBigUint64(at, !bigEndian),
  }
}

const usualIds = new Set(
  'fmt |data|LIST|fact|bext|iXML|JUNK|junk|PAD |FLLR|cue |smpl|inst|plst|cart|axml|chna|PEAK|id3 |ID3 '.split(
    '|',
  ),
)

/** @param next the 9 bytes after a chunk of odd size. A pad byte is zero as a rule, which begins no name. */
function padByteComes(next: Uint8Array): boolean {
  const unpadded = textAt(next, 0)
  return !usualIds.has(unpadded) && !(isChunkId(unpadded) && !isChunkId(textAt(next, 1)))
}

function notWav(start: Uint8Array): WavError {
  if (start.length === 0) return new WavError('not-wav', 'The file is empty.')
  const found = recognizeFile(start)
  return new WavError(
    'not-wav',
    found === undefined ? 'The file is not a WAV.' : `The file is not a WAV but ${found}.`,
  )
}
