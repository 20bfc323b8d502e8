/** Deletes a user with the records that are left, and tells which there are to remove before. */
import type pg from 'pg'
import type { Database } from './database.ts'
import type { RecordStatus } from './generated/client.ts'
import { removeRecordIn } from './records.ts'
import { inTransaction } from './transaction.ts'

/** A record that is no tombstone. */
export interface RemovableRecord {
  readonly key: bigint
  readonly status: RecordStatus
  readonly segmentsTotal: number
}

const PAGE = 100

/** The user's records that are no tombstones, the oldest first. It ends, however many more are uploaded meanwhile. */
export async function* removableRecords(db: Database, userId: string): AsyncGenerator<RemovableRecord> {
  const { rows } = await db.pool.query<{ last: string | null }>(
    'SELECT max(key) AS last FROM record WHERE user_id = $1',
    [userId],
  )
  const last = BigInt(rows[0]?.last ?? 0)
  let page: RemovableRecord[]
  let after = 0n
  do {
    page = await recordsBetween(db.pool, userId, { after, last })
    yield* page
    after = page.at(-1)?.key ?? last
  } while (page.length === PAGE)
}

async function recordsBetween(
  client: Pick<pg.PoolClient, 'query'>,
  userId: string,
  { after, last, limit = PAGE }: { after: bigint; last?: bigint; limit?: number | null },
): Promise<RemovableRecord[]> {
  const { rows } = await client.query<{ key: string; status: RecordStatus; segments_total: number }>(
    `SELECT key, status, segments_total FROM record
     WHERE user_id = $1 AND status NOT IN ('deleted', 'expired') AND key > $2 AND ($3::bigint IS NULL OR key <= $3)
     ORDER BY key LIMIT $4`,
    [userId, after, last, limit],
  )
  return rows.map(({ key, status, segments_total: segmentsTotal }) => ({
    key: BigInt(key),
    status,
    segmentsTotal,
  }))
}

/**
 * Deletes the user, the tombstones, and the records that came since {@link removableRecords} began. An insertion of a
 * record locks its user too, so it comes either before, and is seen here, or after, and finds no user.
 *
 * @returns the records that were still there: their WAVs are the caller's to remove.
 */
export function deleteUser(db: Database, userId: string): Promise<readonly RemovableRecord[]> {
  return inTransaction(db.pool, async (client) => {
    await client.query('SELECT FROM "user" WHERE id = $1 FOR UPDATE', [userId])
    const records = await recordsBetween(client, userId, { after: 0n, limit: null })
    for (const { key } of records) await removeRecordIn(client, key, 'deleted')
    await client.query('DELETE FROM "user" WHERE id = $1', [userId])
    return records
  })
}
