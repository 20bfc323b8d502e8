/** Finds idempotency keys that should have been forgotten, or that lead to somebody else's record. */
import type { Fault, Scope } from './books.ts'
import type { Database } from './database.ts'

/** The reconciler forgets them within seconds. */
const LONGEST_STAY = '1 hour'

export async function* auditKeys(db: Database, scope: Scope): AsyncGenerator<Fault> {
  const { rows } = await db.pool.query<{ key: string }>(
    `SELECT record.key FROM idempotency_key AS had JOIN record ON record.key = record_key
     WHERE had.user_id <> record.user_id AND ($1::bigint[] IS NULL OR record.key = ANY($1)) ORDER BY record.key`,
    [scope],
  )
  for (const { key } of rows) {
    const detail = 'It has the idempotency key of another user.'
    yield { kind: 'key-of-another-user', recordKey: BigInt(key), detail }
  }
  const stale = await db.pool.query<{ keys: number }>(
    `SELECT count(*)::int AS keys FROM idempotency_key WHERE expires_at < now() - $1::interval`,
    [LONGEST_STAY],
  )
  const keys = stale.rows[0]?.keys ?? 0
  if (keys > 0) yield { kind: 'keys-not-forgotten', detail: `${keys} idempotency keys expired long ago.` }
}
