/** The fence: an attempt at a segment may write only while it is the latest one, and only one of them completes it. */
import { ANNOUNCE } from './announce.ts'
import type { Database } from './database.ts'
import { storableText } from './storable-text.ts'
import { inTransaction } from './transaction.ts'

/** One attempt at a segment, as each of its writes names it. */
export interface Attempt {
  readonly recordKey: bigint
  readonly seq: number
  readonly attempt: number
}

/** True for the attempt ($3) that holds the segment ($1, $2): the latest one, neither done nor given up. */
export const IS_HELD = 'record_key = $1 AND seq = $2 AND attempt = $3 AND taken_at IS NOT NULL'

/**
 * Marks the segment done and counts it in its record. Of all who complete a record's segments, exactly one hears `last`.
 *
 * @param bytes of MP3 that the attempt wrote.
 * @param peaks its part of the waveform, where there is one.
 * @returns `stale` if the segment is no longer this attempt's.
 */
export function completeSegment(
  db: Database,
  { recordKey, seq, attempt, bytes, peaks }: Attempt & { bytes: number; peaks?: Uint8Array | undefined },
): Promise<'stale' | 'done' | 'last'> {
  return inTransaction(db.pool, async (client) => {
    const { rowCount } = await client.query(
      `UPDATE segment SET done_at = now(), taken_at = NULL, bytes = $4, peaks = $5, failure = NULL
       WHERE ${IS_HELD}`,
      [recordKey, seq, attempt, bytes, peaks ?? null],
    )
    if (rowCount === 0) return 'stale'
    // A segment that is still there belongs to a record that is still processing: all that ends a record removes them.
    const { rows } = await client.query<{ is_full: boolean }>(
      `UPDATE record SET segments_done = segments_done + 1,
         progress = greatest(progress, (segments_done + 1)::real / segments_total)
       WHERE key = $1 RETURNING segments_done = segments_total AS is_full, ${ANNOUNCE}`,
      [recordKey],
    )
    return rows[0]?.is_full === true ? 'last' : 'done'
  })
}

/**
 * Ends an attempt in an error that may pass.
 *
 * @param countsAs `death` where the process is to blame, not the recording: ten of those are allowed.
 * @param failure what is shown if the record fails in the end.
 * @returns false if the segment is no longer this attempt's.
 */
export async function postponeSegment(
  db: Database,
  {
    recordKey,
    seq,
    attempt,
    failure,
    retryInMs,
    countsAs = 'error',
  }: Attempt & { failure: string; retryInMs: number; countsAs?: 'error' | 'death' },
): Promise<boolean> {
  const counter = countsAs === 'error' ? 'errors' : 'deaths'
  const { rowCount } = await db.pool.query(
    `UPDATE segment SET ${counter} = ${counter} + 1, taken_at = NULL, failure = $4,
       next_try_at = now() + $5 * interval '1 millisecond' WHERE ${IS_HELD}`,
    [recordKey, seq, attempt, storableText(failure), retryInMs],
  )
  return rowCount === 1
}

/**
 * Ends an attempt that counts as nothing, such as at a shutdown: any worker may take the segment at once.
 *
 * @returns false if the segment is no longer this attempt's.
 */
export async function handBackSegment(db: Database, { recordKey, seq, attempt }: Attempt): Promise<boolean> {
  const { rowCount } = await db.pool.query(`UPDATE segment SET taken_at = NULL WHERE ${IS_HELD}`, [
    recordKey,
    seq,
    attempt,
  ])
  return rowCount === 1
}

/**
 * Writes how far the record has come, which never falls.
 *
 * @param progress of this segment, 0..1.
 * @returns false if the segment is no longer this attempt's.
 */
export async function reportProgress(
  db: Database,
  { recordKey, seq, attempt, progress }: Attempt & { progress: number },
): Promise<boolean> {
  const { rowCount } = await db.pool.query(
    `UPDATE record SET progress = greatest(progress, least(1, (segments_done + $4::real) / segments_total))
     WHERE key = $1 AND EXISTS (SELECT FROM segment WHERE ${IS_HELD}) RETURNING ${ANNOUNCE}`,
    [recordKey, seq, attempt, progress],
  )
  return rowCount === 1
}
