/** The one connection on which a backup is taken or restored: it may take hours, so nothing of it is bound in time. */
import type { Log } from '@wavemill/core/log'
import { describeError } from '@wavemill/core/quiet-errors'
import pg from 'pg'
import { connectionConfig } from './database.ts'

/** Runs `work`; what it did not commit is rolled back by the end of the connection. */
export async function withBackupConnection<T>(
  { url, name, log }: { url: string; name: 'wavemill backup' | 'wavemill restore'; log: Log },
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ ...connectionConfig(url), query_timeout: 0, application_name: name })
  client.on('error', (error) => log.debug({ reason: describeError(error) }, 'The connection broke'))
  try {
    await client.connect()
    await client.query('SET statement_timeout = 0')
    await client.query('SET idle_in_transaction_session_timeout = 0')
    return await work(client)
  } finally {
    await client.end()
  }
}

/** A table of ours. */
export interface BackupTable {
  readonly name: string
  /** It and its columns, as COPY wants them. */
  readonly target: string
}

/**
 * All tables of the schema but Prisma's own, each after those that it refers to. The queue has a schema of its own, and is not among
 * them: the reconciler makes it again. Columns are sorted, since a table that was altered has them in another order.
 */
export async function backupTables(client: pg.Client): Promise<BackupTable[]> {
  const { rows } = await client.query<{ name: string; columns: string[]; refers_to: string[] }>(
    `SELECT relname AS name,
       ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
         AND attgenerated = '' ORDER BY attname COLLATE "C") AS columns,
       ARRAY(SELECT DISTINCT f.relname::text FROM pg_constraint JOIN pg_class f ON f.oid = confrelid
         WHERE contype = 'f' AND conrelid = c.oid AND confrelid <> c.oid) AS refers_to
     FROM pg_class c
     WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname <> '_prisma_migrations'
     ORDER BY relname COLLATE "C"`,
  )
  const ordered: BackupTable[] = []
  const waiting = new Map(rows.map((row) => [row.name, row]))
  while (waiting.size > 0) {
    const next = [...waiting.values()].find(({ refers_to }) => !refers_to.some((name) => waiting.has(name)))
    if (next === undefined)
      throw new Error(`These tables refer to each other: ${[...waiting.keys()].join(', ')}`)
    waiting.delete(next.name)
    const columns = next.columns.map((column) => pg.escapeIdentifier(column)).join(', ')
    ordered.push({ name: next.name, target: `${pg.escapeIdentifier(next.name)} (${columns})` })
  }
  return ordered
}

/** Names of the migrations that the database has, oldest first. */
export async function appliedMigrations(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ migration_name: string }>(
    `SELECT migration_name FROM _prisma_migrations
     WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY migration_name COLLATE "C"`,
  )
  return rows.map(({ migration_name }) => migration_name)
}
