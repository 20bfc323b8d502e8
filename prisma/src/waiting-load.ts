/** Counts what waits to be transcoded, all users' together. */
import type { Database } from './database.ts'

export interface WaitingLoad {
  readonly recordings: number
  /** Of their WAVs. */
  readonly bytes: number
}

export async function waitingLoad(db: Database): Promise<WaitingLoad> {
  const { rows } = await db.pool.query<{ recordings: string; bytes: string }>(
    `SELECT count(*) AS recordings, coalesce(sum(wav_bytes), 0) AS bytes
     FROM record WHERE status IN ('queued', 'processing')`,
  )
  return { recordings: Number(rows[0]?.recordings), bytes: Number(rows[0]?.bytes) }
}
