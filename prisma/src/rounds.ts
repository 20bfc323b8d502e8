/** The rounds of the queue, as the rows know them: what a new segment gets, and who is served before whom. */
import { giveRounds } from '@wavemill/core/rounds'
import type pg from 'pg'
import type { Database } from './database.ts'
import { NoSuchUser } from './no-such-user.ts'

/** Waits for its first attempt: such segments make the queue. */
const IS_WAITING = 'done_at IS NULL AND attempt = 0'

/** A segment's priority in the queue, 1 first. Its turn has come once it was tried: then it need not wait for another. */
export const PRIORITY = 'CASE WHEN attempt = 0 THEN round ELSE 1 END'

/**
 * Gives rounds to segments that are about to be inserted, and keeps the last one with the user. Until the transaction
 * ends, no other gives rounds to the same user; other users are not held up.
 *
 * @param segments how many.
 */
export async function takeRounds(
  client: pg.PoolClient,
  userId: string,
  segments: number,
): Promise<readonly number[]> {
  // A statement of its own, so that the next one sees what whoever held the lock before has inserted. The latest record is
  // served last: only it is looked at, however many there are.
  const user = await client.query<{ last_round: number }>(
    'SELECT last_round FROM "user" WHERE id = $1 FOR NO KEY UPDATE',
    [userId],
  )
  const { rows } = await client.query<{ first_waiting: number | null; is_waiting: boolean }>(
    `SELECT (SELECT min(round) FROM segment WHERE ${IS_WAITING}) AS first_waiting,
       EXISTS (SELECT FROM segment WHERE ${IS_WAITING} AND record_key = (
         SELECT key FROM record WHERE user_id = $1 AND status IN ('queued', 'processing')
         ORDER BY key DESC LIMIT 1)) AS is_waiting`,
    [userId],
  )
  const [owner] = user.rows
  const [queue] = rows
  if (owner === undefined) throw new NoSuchUser(userId)
  if (queue === undefined) throw new Error('PostgreSQL gave no row')
  const rounds = giveRounds(
    { firstWaiting: queue.first_waiting ?? undefined, ownLast: queue.is_waiting ? owner.last_round : 0 },
    segments,
  )
  await client.query('UPDATE "user" SET last_round = $2 WHERE id = $1', [userId, rounds.at(-1)])
  return rounds
}

/** What comes before a record's next segment. */
export interface WorkBefore {
  /** How many other unfinished records have a part in it. */
  readonly records: number
  /** How much of their audio. */
  readonly audioSeconds: number
}

/** Nothing, if the record has no segment left. A segment that is under way counts as if it had just begun. */
export async function workBefore(db: Database, key: bigint): Promise<WorkBefore> {
  const { rows } = await db.pool.query<{ records: number; audio_seconds: number }>(
    `SELECT count(DISTINCT record_key)::int AS records,
       coalesce(sum((end_byte - start_byte)::float8 / wav_bytes * samples / sample_rate), 0) AS audio_seconds
     FROM segment JOIN record ON key = record_key
     WHERE done_at IS NULL AND record_key <> $1 AND (${PRIORITY}, record_key) < (
       SELECT ${PRIORITY}, record_key FROM segment WHERE done_at IS NULL AND record_key = $1
       ORDER BY 1, seq LIMIT 1)`,
    [key],
  )
  const { records = 0, audio_seconds: audioSeconds = 0 } = rows[0] ?? {}
  return { records, audioSeconds }
}
