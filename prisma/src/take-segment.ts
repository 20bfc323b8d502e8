/** Takes a segment: the fence shuts behind every earlier attempt, and what they wrote is gone. */
import type { PcmSource } from '@wavemill/core/pcm-source'
import type pg from 'pg'
import { ANNOUNCE } from './announce.ts'
import type { Database } from './database.ts'
import type { Attempt } from './segments.ts'
import { inTransaction } from './transaction.ts'

/** How often a process may die over a segment before that counts as the recording's fault. */
export const MAX_DEATHS = 10
/**
 * From this death on a segment waits for a random time, so that those which died with it are not with it again: a recording that kills
 * workers must not take others along ten times.
 */
const APART_FROM_DEATHS = 3

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
    if (!segment.is_taken) return undefined // the reconciler adds it again, or fails the record
    const record = await beginRecord(client, recordKey)
    if (record === undefined) return undefined
    await client.query('DELETE FROM chunk WHERE record_key = $1 AND segment = $2', [recordKey, seq])
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
  is_taken: boolean
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
       taken_at = CASE WHEN taken_at IS NULL OR deaths + 1 < ${APART_FROM_DEATHS} THEN now() END,
       next_try_at = CASE WHEN taken_at IS NULL OR deaths + 1 < ${APART_FROM_DEATHS} THEN next_try_at
         ELSE now() + random() * deaths * interval '10 seconds' END
     WHERE record_key = $1 AND seq = $2 AND done_at IS NULL AND next_try_at <= now() AND deaths < ${MAX_DEATHS}
     RETURNING attempt, errors, deaths, start_byte, end_byte, first_frame, frames, warm_up_frames,
       taken_at IS NOT NULL AS is_taken`,
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
     RETURNING source, samples, wav_bytes, segments_total, options, ${ANNOUNCE}`,
    [recordKey],
  )
  return rows[0]
}
