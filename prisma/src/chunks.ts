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

/** Bytes of an MP3 are not there: most likely its record was removed while it was read. */
export class MissingBytes extends Error {
  constructor(recordKey: bigint, { start, end }: Stretch, found: number) {
    super(
      `Of bytes ${start} to ${end} of record ${recordKey} there are ${found}: the rest was removed while it was read`,
    )
    this.name = 'MissingBytes'
  }
}

/** Bytes [start, end) of an MP3. */
export interface Stretch {
  readonly start: number
  readonly end: number
}

/**
 * Of every download: soon there, and the same for all who ask at once, so that one reading serves them. It is also the
 * smallest that a budget gives, so that it is never another.
 */
const FIRST_WINDOW_BYTES = 256 * 1024

/**
 * Reads the MP3, with its head where it has one, in buffers of at most 1 MiB. No connection is held while the consumer is
 * busy. The buffers may be another reader's too: nobody may write into them.
 *
 * @param range all of it, as it is now, without one.
 * @throws MissingBytes if not all of it is there, or no longer; or an error of the database.
 */
export async function* readMp3(
  db: Database,
  recordKey: bigint,
  range?: Stretch,
): AsyncGenerator<Buffer, void, undefined> {
  const { start, end } = range ?? { start: 0, end: await countBytes(db.pool, recordKey) }
  const open = (from: number, bytes: number) =>
    bytes > 0 ? openWindow(db, recordKey, from, bytes) : undefined
  let window = open(start, Math.min(end - start, FIRST_WINDOW_BYTES))
  let next: OpenWindow | undefined
  try {
    while (window !== undefined) {
      const buffers = await window.buffers
      for (const [index, buffer] of buffers.entries()) {
        // Who asks for more than the first buffer of a window reads on: the next window is read meanwhile.
        if (index > 0) next ??= open(window.end, end - window.end)
        yield buffer
      }
      next ??= open(window.end, end - window.end)
      window.release()
      window = next
      next = undefined
    }
  } finally {
    window?.release()
    next?.release()
  }
}

/** A part of what a reader wants, that is being read or was. */
interface OpenWindow {
  /** Where the one after it begins. */
  readonly end: number
  readonly buffers: Promise<Buffer[]>
  release(): void
}

function openWindow(db: Database, recordKey: bigint, start: number, wantedBytes: number): OpenWindow {
  const { bytes, release } = db.windows.take(wantedBytes)
  const stretch = { start, end: start + bytes }
  // Whoever asks for the same at the same time shares one reading; it never began before they asked.
  const buffers = db.sharedWindows(`${recordKey} ${stretch.start} ${stretch.end}`, () =>
    readStretch(db.copyPool, recordKey, stretch),
  )
  buffers.catch(() => undefined) // its reader hears of it when it comes to that
  return { end: stretch.end, buffers, release }
}

async function countBytes(pool: pg.Pool, recordKey: bigint): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>(
    'SELECT coalesce(sum(size), 0) AS bytes FROM chunk WHERE record_key = $1',
    [recordKey],
  )
  return Number(rows[0]?.bytes)
}

async function readStretch(pool: pg.Pool, recordKey: bigint, { start, end }: Stretch): Promise<Buffer[]> {
  // COPY takes no parameters; these are all numbers. Of each chunk that is touched only what is wanted leaves the disk.
  const buffers = await readCopiedBytes(
    pool,
    `SELECT substring(data FROM skipped + 1 FOR least(${end} - position, size)::int - skipped)
     FROM (
       SELECT *, greatest(${start} - position, 0)::int AS skipped
       FROM (
         SELECT *, sum(size) OVER (ORDER BY segment, part ROWS UNBOUNDED PRECEDING) - size AS position
         FROM chunk WHERE record_key = ${recordKey}
       ) AS placed
       WHERE position < ${end} AND position + size > ${start}
     ) AS touched
     ORDER BY segment, part`,
  )
  const bytes = buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0)
  if (bytes === end - start) return buffers
  throw new MissingBytes(recordKey, { start, end }, bytes)
}
