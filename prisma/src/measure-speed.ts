/** Measures how fast the installation has transcoded lately, whatever its workers and their machines. */
import type { Database } from './database.ts'

const LATELY = 20

/** What became ready lately, and the time in which anything of it was in work. */
export interface MeasuredSpeed {
  readonly audioSeconds: number
  readonly busySeconds: number
}

/** Of the last recordings that are ready; zeros while there is none. Where several ran at once, the time counts once. */
export async function measureSpeed(db: Database): Promise<MeasuredSpeed> {
  // least: a clock that was set back makes no range of negative length, which would be an error.
  const { rows } = await db.pool.query<{ audio_seconds: number; busy_seconds: number }>(
    `WITH lately AS (
       SELECT samples::float8 / sample_rate AS seconds, tstzrange(least(started_at, ready_at), ready_at) AS in_work
       FROM record WHERE status = 'ready' ORDER BY ready_at DESC LIMIT ${LATELY})
     SELECT coalesce((SELECT sum(seconds) FROM lately), 0) AS audio_seconds,
       coalesce((SELECT sum(extract(epoch FROM upper(busy) - lower(busy)))
         FROM (SELECT unnest(range_agg(in_work)) AS busy FROM lately) AS stretches), 0)::float8 AS busy_seconds`,
  )
  const { audio_seconds: audioSeconds = 0, busy_seconds: busySeconds = 0 } = rows[0] ?? {}
  return { audioSeconds, busySeconds }
}
