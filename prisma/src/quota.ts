/** What a user may have at most, and whether one more recording fits in. */
import type pg from 'pg'

/** Infinity where there is no limit. */
export interface Quota {
  readonly recordings: number
  /** Of those, the ones that are not transcoded yet. */
  readonly waiting: number
  /** WAVs that wait, and MP3s that are ready. */
  readonly bytes: number
}

export const noQuota: Quota = { recordings: Infinity, waiting: Infinity, bytes: Infinity }

/** The error of a recording that the user's quota has no room for. */
export class QuotaExceeded extends Error {
  readonly what: keyof Quota
  readonly limit: number
  constructor(what: keyof Quota, limit: number) {
    super(`No more ${what} than ${limit}`)
    this.name = 'QuotaExceeded'
    this.what = what
    this.limit = limit
  }
}

/**
 * Free of races only in a transaction that holds the user's row, as {@link insertRecord}'s does; elsewhere it spares an upload
 * that would be refused at its end.
 *
 * @param newBytes of the WAV that is to be added, as far as they are known.
 * @throws QuotaExceeded
 */
export async function checkQuota(
  connection: pg.Pool | pg.PoolClient,
  userId: string,
  quota: Quota,
  newBytes = 1,
): Promise<void> {
  if (Object.values(quota).every((limit) => limit === Infinity)) return
  const { rows } = await connection.query<{ recordings: string; waiting: string; bytes: string }>(
    `SELECT count(*) AS recordings, count(*) FILTER (WHERE is_waiting) AS waiting,
       coalesce(sum(CASE WHEN is_waiting THEN wav_bytes ELSE coalesce(mp3_size, 0) END), 0) AS bytes
     FROM (
       SELECT *, status IN ('queued', 'processing') AS is_waiting
       FROM record WHERE user_id = $1 AND status NOT IN ('deleted', 'expired')
     ) AS kept`,
    [userId],
  )
  const [used] = rows
  if (used === undefined) throw new Error('PostgreSQL gave no row')
  if (Number(used.waiting) + 1 > quota.waiting) throw new QuotaExceeded('waiting', quota.waiting)
  if (Number(used.recordings) + 1 > quota.recordings) throw new QuotaExceeded('recordings', quota.recordings)
  if (Number(used.bytes) + newBytes > quota.bytes) throw new QuotaExceeded('bytes', quota.bytes)
}
