/** The waveform of a ready record, as its segments' workers saw it. */
import type { Database } from './database.ts'

/**
 * @returns for each pixel the lowest and the highest sample, as signed bytes one after the other; undefined if it has no
 * waveform, or is not there.
 */
export async function readPeaks(db: Database, recordKey: bigint): Promise<Buffer | undefined> {
  const { rows } = await db.pool.query<{ peaks: Buffer | null }>(
    `SELECT CASE WHEN bool_and(peaks IS NOT NULL) THEN string_agg(peaks, '' ORDER BY seq) END AS peaks
     FROM segment WHERE record_key = $1`,
    [recordKey],
  )
  return rows[0]?.peaks ?? undefined
}
