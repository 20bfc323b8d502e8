/** Goes through large tables in pages of keys, so that an audit needs little memory and holds no long transaction. */
import type { Scope } from './books.ts'
import type { Database } from './database.ts'
import type { RecordStatus } from './generated/client.ts'

const PAGE = 500

/** The keys of the records in these states, in order. What is done with a page must ask for the state again. */
export function recordPages(
  db: Database,
  statuses: readonly RecordStatus[],
  scope: Scope,
): AsyncGenerator<bigint[]> {
  return pages(async (after) => {
    const { rows } = await db.pool.query<{ key: string }>(
      `SELECT key FROM record
       WHERE status = ANY($3::record_status[]) AND key > $1 AND ($2::bigint[] IS NULL OR key = ANY($2))
       ORDER BY key LIMIT ${PAGE}`,
      [after, scope, statuses],
    )
    return rows
  })
}

/** The keys that a table's rows name, in order, each once. */
export function referencedKeyPages(
  db: Database,
  table: 'chunk' | 'segment',
  scope: Scope,
): AsyncGenerator<bigint[]> {
  return pages(async (after) => {
    const { rows } = await db.pool.query<{ key: string }>(
      `SELECT DISTINCT record_key AS key FROM ${table}
       WHERE record_key > $1 AND ($2::bigint[] IS NULL OR record_key = ANY($2))
       ORDER BY record_key LIMIT ${PAGE}`,
      [after, scope],
    )
    return rows
  })
}

async function* pages(ask: (after: bigint) => Promise<{ key: string }[]>): AsyncGenerator<bigint[]> {
  for (let after = 0n; ; ) {
    const keys = (await ask(after)).map(({ key }) => BigInt(key))
    const last = keys.at(-1)
    if (last === undefined) return
    yield keys
    after = last
  }
}
