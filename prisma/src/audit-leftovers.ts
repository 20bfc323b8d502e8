/** Finds chunks and segments that belong to no record, or to one that must have none. */
import { recordPages, referencedKeyPages } from './audit-pages.ts'
import type { Fault, Scope } from './books.ts'
import { HEAD_SEGMENT } from './chunks.ts'
import type { Database } from './database.ts'

export async function* auditLeftovers(db: Database, scope: Scope): AsyncGenerator<Fault> {
  for (const table of ['chunk', 'segment'] as const) {
    for await (const keys of referencedKeyPages(db, table, scope)) yield* auditOwners(db, table, keys)
  }
  for await (const keys of recordPages(db, ['queued', 'processing', 'ready'], scope)) {
    yield* auditStrayChunks(db, keys)
  }
}

async function* auditOwners(
  db: Database,
  table: 'chunk' | 'segment',
  keys: readonly bigint[],
): AsyncGenerator<Fault> {
  const { rows } = await db.pool.query<{ record_key: string; status: string | null; pieces: number }>(
    `SELECT record_key, status, count(*)::int AS pieces FROM ${table} LEFT JOIN record ON key = record_key
     WHERE record_key = ANY($1) AND (key IS NULL OR status IN ('deleted', 'expired', 'failed'))
     GROUP BY record_key, status ORDER BY record_key`,
    [keys],
  )
  for (const { record_key, status, pieces } of rows) {
    const recordKey = BigInt(record_key)
    yield status === null
      ? {
          kind: `${table}s-without-record`,
          recordKey,
          detail: `${pieces} ${table}s name a record that is not there.`,
        }
      : {
          kind: `${table}s-of-ended-record`,
          recordKey,
          detail: `It is ${status}, and has ${pieces} ${table}s.`,
        }
  }
}

async function* auditStrayChunks(db: Database, keys: readonly bigint[]): AsyncGenerator<Fault> {
  const { rows } = await db.pool.query<{ key: string; pieces: number }>(
    `SELECT key, count(*)::int AS pieces FROM record JOIN chunk ON chunk.record_key = key
       LEFT JOIN segment ON segment.record_key = key AND seq = chunk.segment
     WHERE key = ANY($1) AND CASE WHEN chunk.segment = ${HEAD_SEGMENT} THEN status IN ('queued', 'processing')
       ELSE status IN ('queued', 'processing', 'ready') AND seq IS NULL END
     GROUP BY key ORDER BY key`,
    [keys],
  )
  for (const { key, pieces } of rows) {
    const detail = `${pieces} of its chunks are of a segment that it has not, or a head that it should not have yet.`
    yield { kind: 'stray-chunks', recordKey: BigInt(key), detail }
  }
}
