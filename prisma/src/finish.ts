/** Makes a record ready whose segments are all done; of several who try, one does. */
import type { PcmSource } from '@wavemill/core/pcm-source'
import { ANNOUNCE } from './announce.ts'
import { HEAD_SEGMENT } from './chunks.ts'
import type { Database } from './database.ts'
import { inTransaction } from './transaction.ts'

const MAX_CHUNK_BYTES = 1_048_576

/** What finishing a record needs to know of it. */
export interface FullRecord {
  readonly source: PcmSource
  /** Of one channel. */
  readonly samples: number
  readonly fileName: string
  readonly options: unknown
}

/** @returns undefined unless the record is in processing and all its segments are done. */
export async function findFullRecord(db: Database, recordKey: bigint): Promise<FullRecord | undefined> {
  const { rows } = await db.pool.query<{
    source: PcmSource
    samples: string
    file_name: string
    options: unknown
  }>(
    `SELECT source, samples, file_name, options FROM record
     WHERE key = $1 AND status = 'processing' AND segments_done = segments_total`,
    [recordKey],
  )
  const [row] = rows
  if (row === undefined) return undefined
  return {
    source: row.source,
    samples: Number(row.samples),
    fileName: row.file_name,
    options: row.options,
  }
}

/**
 * Writes the head in front of the segments' chunks and makes the record ready, in one transaction.
 *
 * @param mp3Size bytes of the whole, the head included.
 * @param mp3Sha256 digest of the whole, the head included.
 * @returns false if it is ready already, or deleted, or not full: nothing was written.
 */
export function finishRecord(
  db: Database,
  {
    recordKey,
    head,
    mp3Size,
    mp3Sha256,
  }: { recordKey: bigint; head: Buffer; mp3Size: number; mp3Sha256: Buffer },
): Promise<boolean> {
  return inTransaction(db.pool, async (client) => {
    const { rowCount } = await client.query(
      `UPDATE record SET status = 'ready', ready_at = now(), progress = 1, mp3_size = $2, mp3_sha256 = $3
       WHERE key = $1 AND status = 'processing' AND segments_done = segments_total RETURNING ${ANNOUNCE}`,
      [recordKey, mp3Size, mp3Sha256],
    )
    if (rowCount === 0) return false
    for (let part = 0; part * MAX_CHUNK_BYTES < head.byteLength; part++) {
      const data = head.subarray(part * MAX_CHUNK_BYTES, (part + 1) * MAX_CHUNK_BYTES)
      await client.query(
        'INSERT INTO chunk (record_key, segment, part, data, size) VALUES ($1, $2, $3, $4, $5)',
        [recordKey, HEAD_SEGMENT, part, data, data.byteLength],
      )
    }
    return true
  })
}
