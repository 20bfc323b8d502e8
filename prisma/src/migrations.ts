/** The migrations of this build, which lie beside src/ and dist/ alike, and the wait for them. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { MigrationList } from '@prisma/schema-engine-wasm/schema_engine_bg'
import type { Log } from '@wavemill/core/log'
import { describeError } from '@wavemill/core/quiet-errors'
import type { Database } from './database.ts'
import { isDatabaseAway } from './database-away.ts'

const folder = fileURLToPath(new URL('../migrations', import.meta.url))
const LOCK_FILE = 'migration_lock.toml'
const UNDEFINED_TABLE = '42P01'

/** Reads the migrations in the form that Prisma's schema engine takes. */
export async function readMigrations(): Promise<MigrationList> {
  const names = await listMigrations()
  return {
    baseDir: folder,
    lockfile: { path: LOCK_FILE, content: await readFile(join(folder, LOCK_FILE), 'utf8') },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.map(async (name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: { tag: 'ok', value: await readFile(join(folder, name, 'migration.sql'), 'utf8') },
        },
      })),
    ),
  }
}

/** Names of the migrations, oldest first. */
async function listMigrations(): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort()
}

/**
 * Waits until the database answers and has the newest migration of this build. A queue in the same database is
 * migrated before it, so that it is there as well.
 *
 * @throws the signal's reason when it aborts, or an error that no waiting mends, such as a wrong password.
 */
export async function waitForDatabase(
  db: Database,
  options: { log: Log; signal?: AbortSignal },
): Promise<void> {
  const newest = (await listMigrations()).at(-1)
  for (let tries = 0; ; tries++) {
    options.signal?.throwIfAborted()
    const missing = await whatIsMissing(db, newest)
    if (missing === undefined) return
    if (tries % 20 === 0) options.log.info({ missing }, 'Waiting for the database')
    await sleep(500, undefined, { signal: options.signal })
  }
}

async function whatIsMissing(db: Database, migration: string | undefined): Promise<string | undefined> {
  try {
    const { rowCount } = await db.pool.query(
      `SELECT FROM _prisma_migrations WHERE migration_name = $1 AND finished_at IS NOT NULL AND rolled_back_at IS NULL`,
      [migration],
    )
    return rowCount === 0 ? `the migration ${migration}` : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === UNDEFINED_TABLE) return 'its tables'
    if (isDatabaseAway(error)) return describeError(error)
    throw error
  }
}
