/** The MP3's bytes: written as chunk rows behind the fence, read by COPY in windows that no slow client can hold open. */
import type pg from 'pg'
import { readCopiedBytes } from './copied-bytes.ts'
import type { Database } from './database.ts'
import { type Attempt, IS_HELD } from './segments.ts'

/** The segment number under which a finished record's head (tag and Info frame) is kept; it is read first. */
export const HEAD_SEGMENT = -1

/**
 * Writes a chunk in the name of an attempt.
 *
 * @param part counts from 0 within the segment.
 * @param data 1 byte to 1 MiB.
 * @returns false if the segment is no longer this attempt's: nothing was written.
 */
export async function insertChunk(
  db: Database,
  { recordKey, seq, attempt, part, data }: Attempt & { part: number; data: Buffer },
): Promise<boolean> {
  // FOR SHARE: nobody takes the segment or deletes the record between the look and the write.
  const { rowCount } = await db.pool.query(
    `INSERT INTO chunk (record_key, segment, part, data, size)
     SELECT record_key, seq, $4, $5, octet_length($5::bytea) FROM segment WHERE ${IS_HELD} FOR SHARE`,
    [recordKey, seq, attempt, part, data],
  )
  return rowCount === 1
}

/** A stretch of one chunk's bytes. */
interface Piece {
  readonly segment: number
  readonly part: number
  /** Offset within the chunk. */
  readonly offset: number
  readonly bytes: number
}

/**
 * Reads the MP3, with its head where it has one, in buffers of at most 1 MiB. No connection is held while the consumer is busy.
 *
 * @param range bytes [start, end); all without it. What lies beyond the end is left off.
 * @throws Error if the chunks are removed meanwhile.
 */
export async function* readMp3(
  db: Database,
  recordKey: bigint,
  range?: { start: number; end: number },
): AsyncGenerator<Buffer, void, undefined> {
  let pieces = await findPieces(db.pool, recordKey, range)
  while (pieces.length > 0) {
    const window = db.windows.take(pieces.reduce((sum, { bytes }) => sum + bytes, 0))
    try {
      const { first, rest } = cutPieces(pieces, window.bytes)
      yield* await readPieces(db.copyPool, recordKey, first)
      pieces = rest
    } finally {
      window.release()
    }
  }
}

async function findPieces(
  pool: pg.Pool,
  recordKey: bigint,
  { start, end } = { start: 0, end: Number.MAX_SAFE_INTEGER },
): Promise<Piece[]> {
  const { rows } = await pool.query<{ segment: number; part: number; size: number }>(
    'SELECT segment, part, size FROM chunk WHERE record_key = $1 ORDER BY segment, part',
    [recordKey],
  )
  const pieces: Piece[] = []
  let position = 0
  for (const { segment, part, size } of rows) {
    const first = Math.max(start - position, 0)
    const last = Math.min(end - position, size)
    if (first < last) pieces.push({ segment, part, offset: first, bytes: last - first })
    position += size
  }
  return pieces
}

/** Divides pieces into the first `bytes` of them and the rest. */
function cutPieces(pieces: readonly Piece[], bytes: number): { first: Piece[]; rest: Piece[] } {
  const first: Piece[] = []
  const rest: Piece[] = []
  let left = bytes
  for (const piece of pieces) {
    const taken = Math.min(piece.bytes, left)
    left -= taken
    if (taken > 0) first.push({ ...piece, bytes: taken })
    if (taken < piece.bytes) rest.push({ ...piece, offset: piece.offset + taken, bytes: piece.bytes - taken })
  }
  return { first, rest }
}

async function readPieces(pool: pg.Pool, recordKey: bigint, wanted: readonly Piece[]): Promise<Buffer[]> {
  // COPY takes no parameters; these are all numbers.
  const pieces = wanted.map(({ segment, part, offset, bytes }) => `(${segment},${part},${offset},${bytes})`)
  const buffers = await readCopiedBytes(
    pool,
    `SELECT substring(data FROM "offset" + 1 FOR bytes)
     FROM (VALUES ${pieces.join()}) AS piece(segment, part, "offset", bytes) JOIN chunk USING (segment, part)
     WHERE record_key = ${recordKey} ORDER BY segment, part`,
  )
  const isWhole = wanted.every(({ bytes }, index) => buffers[index]?.byteLength === bytes)
  if (!isWhole) throw new Error(`The MP3 of record ${recordKey} was removed while it was read`)
  return buffers
}
