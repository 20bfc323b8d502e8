/** The fence: an attempt at a segment may write only while it is the latest one, and only one of them completes it. */
import type { PcmSource } from '@wavemill/core/pcm-source'
import type pg from 'pg'
import type { Database } from './database.ts'
import { storableText } from './storable-text.ts'
import { inTransaction } from './transaction.ts'

/** How often a process may die over a segment before that counts as the recording's fault. */
export const MAX_DEATHS = 10

/** One attempt at a segment, as each of its writes names it. */
export interface Attempt {
  readonly recordKey: bigint
  readonly seq: number
  readonly attempt: number
}

/** What an attempt needs to know; numbers of bytes are offsets in the WAV file. */
export interface TakenSegment extends Attempt {
  /** Attempts before this one that ended in an error of the transcode. */
  readonly errors: number
  readonly startByte: number
  readonly endByte: number
  readonly firstFrame: number
  readonly frames: number
  readonly warmUpFrames: number
  readonly source: PcmSource
  /** Of the whole recording, of one channel. */
  readonly samples: number
  readonly wavBytes: number
  readonly segmentsTotal: number
  readonly options: unknown
}

/** True for the attempt ($3) that holds the segment ($1, $2): the latest one, neither done nor given up. */
export const IS_HELD = 'record_key = $1 AND seq = $2 AND attempt = $3 AND taken_at IS NOT NULL'

/**
 * Begins an attempt: from now on only this one may write, and what earlier ones wrote is gone. An earlier attempt that
 * never said how it ended is counted as a death.
 *
 * @returns undefined if the segment is done, not due yet or used up, or its record needs no more work.
 */
export function takeSegment(
  db: Database,
  { recordKey, seq, worker }: { recordKey: bigint; seq: number; worker: string },
): Promise<TakenSegment | undefined> {
  return inTransaction(db.pool, async (client) => {
    const segment = await beginAttempt(client, recordKey, seq, worker)
    if (segment === undefined) return undefined
    await client.query('DELETE FROM chunk WHERE record_key = $1 AND segment = $2', [recordKey, seq])
    if (segment.deaths >= MAX_DEATHS) return undefined // the reconciler fails the record
    const record = await beginRecord(client, recordKey)
    if (record === undefined) return undefined
    return {
      recordKey,
      seq,
      attempt: segment.attempt,
      errors: segment.errors,
      startByte: Number(segment.start_byte),
      endByte: Number(segment.end_byte),
      firstFrame: segment.first_frame,
      frames: segment.frames,
      warmUpFrames: segment.warm_up_frames,
      source: record.source,
      samples: Number(record.samples),
      wavBytes: Number(record.wav_bytes),
      segmentsTotal: record.segments_total,
      options: record.options,
    }
  })
}

interface SegmentRow {
  attempt: number
  errors: number
  deaths: number
  start_byte: string
  end_byte: string
  first_frame: number
  frames: number
  warm_up_frames: number
}

async function beginAttempt(
  client: pg.PoolClient,
  recordKey: bigint,
  seq: number,
  worker: string,
): Promise<SegmentRow | undefined> {
  const { rows } = await client.query<SegmentRow>(
    `UPDATE segment SET attempt = attempt + 1, worker = $3,
       deaths = deaths + (taken_at IS NOT NULL)::int,
       taken_at = CASE WHEN deaths + (taken_at IS NOT NULL)::int < ${MAX_DEATHS} THEN now() END
     WHERE record_key = $1 AND seq = $2 AND done_at IS NULL AND next_try_at <= now() AND deaths < ${MAX_DEATHS}
     RETURNING attempt, errors, deaths, start_byte, end_byte, first_frame, frames, warm_up_frames`,
    [recordKey, seq, worker],
  )
  return rows[0]
}

interface RecordRow {
  source: PcmSource
  samples: string
  wav_bytes: string
  segments_total: number
  options: unknown
}

async function beginRecord(client: pg.PoolClient, recordKey: bigint): Promise<RecordRow | undefined> {
  const { rows } = await client.query<RecordRow>(
    `UPDATE record SET status = 'processing', started_at = coalesce(started_at, now())
     WHERE key = $1 AND status IN ('queued', 'processing')
     RETURNING source, samples, wav_bytes, segments_total, options`,
    [recordKey],
  )
  return rows[0]
}

/**
 * Marks the segment done and counts it in its record. Of all who complete a record's segments, exactly one hears `last`.
 *
 * @param bytes of MP3 that the attempt wrote.
 * @returns `stale` if the segment is no longer this attempt's.
 */
export function completeSegment(
  db: Database,
  { recordKey, seq, attempt, bytes }: Attempt & { bytes: number },
): Promise<'stale' | 'done' | 'last'> {
  return inTransaction(db.pool, async (client) => {
    const { rowCount } = await client.query(
      `UPDATE segment SET done_at = now(), taken_at = NULL, bytes = $4, failure = NULL WHERE ${IS_HELD}`,
      [recordKey, seq, attempt, bytes],
    )
    if (rowCount === 0) return 'stale'
    // A segment that is still there belongs to a record that is still processing: all that ends a record removes them.
    const { rows } = await client.query<{ is_full: boolean }>(
      `UPDATE record SET segments_done = segments_done + 1,
         progress = greatest(progress, (segments_done + 1)::real / segments_total)
       WHERE key = $1 RETURNING segments_done = segments_total AS is_full`,
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
     WHERE key = $1 AND EXISTS (SELECT FROM segment WHERE ${IS_HELD})`,
    [recordKey, seq, attempt, progress],
  )
  return rowCount === 1
}
