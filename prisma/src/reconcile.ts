/** What the reconciler asks: what is due, full, used up, expired, and which WAVs are still needed. */
import pg from 'pg'
import { connectionConfig, type Database } from './database.ts'
import { removeRecord } from './records.ts'
import { PRIORITY } from './rounds.ts'
import { MAX_DEATHS } from './take-segment.ts'

/** Any number that nobody else locks with. */
const RECONCILER_LOCK = 7_351_900_002

export interface SegmentKey {
  readonly recordKey: bigint
  readonly seq: number
}

/**
 * Runs `work` unless another process of the fleet is at it. Should the connection that holds the lock break meanwhile, two
 * may run at once, which everything here allows.
 *
 * @returns undefined if another one is.
 */
export async function withReconcilerLock<T>(url: string, work: () => Promise<T>): Promise<T | undefined> {
  const client = new pg.Client({ ...connectionConfig(url), application_name: 'wavemill reconciler' })
  client.on('error', () => {}) // the lock is gone with it, and the work's own queries tell of the outage
  try {
    await client.connect()
    const { rows } = await client.query<{ is_ours: boolean }>('SELECT pg_try_advisory_lock($1) AS is_ours', [
      RECONCILER_LOCK,
    ])
    return rows[0]?.is_ours === true ? await work() : undefined
  } finally {
    await client.end()
  }
}

/** A segment and its place in the queue. */
export interface DueSegment extends SegmentKey {
  /** 1 is first. */
  readonly priority: number
}

/**
 * Segments that need a job, by their keys. Whether one is under way is not asked: adding a job that exists changes nothing, and
 * what has none must be tried again.
 *
 * @param after the last one of the page before.
 */
export async function dueSegments(
  db: Database,
  after: SegmentKey | undefined,
  limit: number,
): Promise<DueSegment[]> {
  const { rows } = await db.pool.query<{ record_key: string; seq: number; priority: number }>(
    `SELECT record_key, seq, ${PRIORITY} AS priority FROM segment JOIN record ON key = record_key
     WHERE done_at IS NULL AND next_try_at <= now() AND deaths < ${MAX_DEATHS}
       AND status IN ('queued', 'processing') AND (record_key, seq) > ($1, $2)
     ORDER BY record_key, seq LIMIT $3`,
    [after?.recordKey ?? 0n, after?.seq ?? -1, limit],
  )
  return rows.map(({ record_key, seq, priority }) => ({ recordKey: BigInt(record_key), seq, priority }))
}

/** Records whose segments are all done, and which nobody has finished yet. */
export async function fullRecords(db: Database, limit: number): Promise<bigint[]> {
  const { rows } = await db.pool.query<{ key: string }>(
    `SELECT key FROM record WHERE status = 'processing' AND segments_done = segments_total ORDER BY key LIMIT $1`,
    [limit],
  )
  return rows.map(({ key }) => BigInt(key))
}

/** A segment that will not be tried again, so that its record must fail. */
export interface UsedUpSegment extends SegmentKey {
  readonly errors: number
  readonly deaths: number
  /** What the last error said. */
  readonly failure: string | undefined
}

/** @param options.segmentAttempts errors after which a segment is used up. @returns a thousand at most. */
export async function usedUpSegments(
  db: Database,
  { segmentAttempts }: { segmentAttempts: number },
): Promise<UsedUpSegment[]> {
  const { rows } = await db.pool.query<{
    record_key: string
    seq: number
    errors: number
    deaths: number
    failure: string | null
  }>(
    `SELECT record_key, seq, errors, deaths, failure FROM segment JOIN record ON key = record_key
     WHERE done_at IS NULL AND (taken_at IS NULL AND errors >= $1 OR deaths >= ${MAX_DEATHS})
       AND status IN ('queued', 'processing')
     ORDER BY record_key, seq LIMIT 1000`,
    [segmentAttempts],
  )
  return rows.map(({ record_key, seq, errors, deaths, failure }) => ({
    recordKey: BigInt(record_key),
    seq,
    errors,
    deaths,
    failure: failure ?? undefined,
  }))
}

/** Ends records whose time is over, also while they wait or are transcoded: nobody could download them. @returns their keys. */
export async function expireRecords(db: Database, limit: number): Promise<bigint[]> {
  const { rows } = await db.pool.query<{ key: string }>(
    `SELECT key FROM record WHERE expires_at <= now() AND status NOT IN ('deleted', 'expired')
     ORDER BY expires_at LIMIT $1`,
    [limit],
  )
  const expired: bigint[] = []
  for (const key of rows.map((row) => BigInt(row.key))) {
    if (await removeRecord(db, key, 'expired')) expired.push(key)
  }
  return expired
}

/** Removes what is left of records that were deleted or expired so long ago: their links answer 404 from now on. */
export async function purgeTombstones(db: Database, olderThanDays: number, limit: number): Promise<number> {
  const { rowCount } = await db.pool.query(
    `DELETE FROM record WHERE key IN (
       SELECT key FROM record WHERE removed_at < now() - make_interval(days => $1) LIMIT $2)`,
    [olderThanDays, limit],
  )
  return rowCount ?? 0
}

/** Which of these records are not transcoded yet. */
export async function keysInNeedOfWav(db: Database, keys: readonly bigint[]): Promise<Set<bigint>> {
  const { rows } = await db.pool.query<{ key: string }>(
    `SELECT key FROM record WHERE key = ANY($1::bigint[]) AND status IN ('queued', 'processing')`,
    [keys],
  )
  return new Set(rows.map(({ key }) => BigInt(key)))
}

/** Which of these records exist and will never need their WAV again. */
export async function keysDoneWithWav(db: Database, keys: readonly bigint[]): Promise<Set<bigint>> {
  const { rows } = await db.pool.query<{ key: string }>(
    `SELECT key FROM record WHERE key = ANY($1::bigint[]) AND status NOT IN ('queued', 'processing')`,
    [keys],
  )
  return new Set(rows.map(({ key }) => BigInt(key)))
}
