/** Deletes a user who has no recordings any more, and tells which ones there are still to remove. */
import type { Database } from './database.ts'
import { inTransaction } from './transaction.ts'

const HAS_CONTENT = `user_id = $1 AND status NOT IN ('deleted', 'expired')`

/** The user's records that are no tombstones, the oldest first. */
export async function unremovedRecords(
  db: Database,
  userId: string,
  limit: number,
): Promise<{ readonly key: bigint; readonly segmentsTotal: number }[]> {
  const { rows } = await db.pool.query<{ key: string; segments_total: number }>(
    `SELECT key, segments_total FROM record WHERE ${HAS_CONTENT} ORDER BY key LIMIT $2`,
    [userId, limit],
  )
  return rows.map(({ key, segments_total: segmentsTotal }) => ({ key: BigInt(key), segmentsTotal }))
}

/**
 * Deletes the user and the tombstones. An insertion of a record locks its user too, so it comes either before, and is
 * seen here, or after, and finds no user.
 *
 * @returns `has-records` if nothing was deleted, because there are some that are no tombstones.
 */
export function deleteUser(db: Database, userId: string): Promise<'deleted' | 'has-records'> {
  return inTransaction(db.pool, async (client) => {
    await client.query('SELECT FROM "user" WHERE id = $1 FOR UPDATE', [userId])
    const { rowCount } = await client.query(`SELECT FROM record WHERE ${HAS_CONTENT} LIMIT 1`, [userId])
    if (rowCount !== 0) return 'has-records'
    await client.query('DELETE FROM "user" WHERE id = $1', [userId])
    return 'deleted'
  })
}
