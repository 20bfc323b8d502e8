/** Fails a record for good: of all who want to end it, one does. */
import type { FailureCode } from '@wavemill/core/failures'
import { ANNOUNCE } from './announce.ts'
import type { Database } from './database.ts'
import { lockSegments, removeContent } from './remove-content.ts'
import { IS_HELD } from './segments.ts'
import { storableText } from './storable-text.ts'
import { inTransaction } from './transaction.ts'

/**
 * Fails a record for good, and removes its segments and chunks; the WAV is the caller's to remove.
 *
 * @param attempt who decides so; without it the reconciler does.
 * @returns false if it was no longer that attempt's, or somebody else ended the record before.
 */
export function failRecord(
  db: Database,
  {
    recordKey,
    code,
    detail,
    attempt,
  }: {
    recordKey: bigint
    code: FailureCode
    detail: string
    attempt?: { seq: number; attempt: number } | undefined
  },
): Promise<boolean> {
  return inTransaction(db.pool, async (client) => {
    await lockSegments(client, recordKey)
    if (attempt !== undefined) {
      const held = await client.query(`SELECT FROM segment WHERE ${IS_HELD}`, [
        recordKey,
        attempt.seq,
        attempt.attempt,
      ])
      if (held.rowCount === 0) return false
    }
    const { rowCount } = await client.query(
      `UPDATE record SET status = 'failed', failure_code = $2, failure_detail = $3
       WHERE key = $1 AND status IN ('queued', 'processing') RETURNING ${ANNOUNCE}`,
      [recordKey, code, storableText(detail)],
    )
    if (rowCount === 0) return false
    await removeContent(client, recordKey)
    return true
  })
}
