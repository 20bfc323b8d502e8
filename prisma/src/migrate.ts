/** Brings a database up to date: the queue's own schema, then our migrations. Any number of processes may do so at once. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@wavemill/core/log'
import { migrateQueue } from '@wavemill/core/queue'
import { describeError } from '@wavemill/core/quiet-errors'
import pg from 'pg'
import { connectionConfig } from './database.ts'
import { isDatabaseAway } from './database-away.ts'
import { readMigrations } from './migrations.ts'
import { openSchemaEngine } from './schema-engine.ts'

/** Any number that nobody else locks with; Prisma's own is 72707369. */
const MIGRATION_LOCK = 7_351_900_001

/**
 * Waits for the server, then applies what is missing; does nothing where nothing is.
 *
 * @param options.patienceMs how long to wait for the server; 60 s unless told.
 * @throws Error if the server stays away, or a migration fails.
 */
export async function migrateDatabase(
  url: string,
  log: Log,
  options: { patienceMs?: number } = {},
): Promise<void> {
  const client = await connectWithPatience(url, log, options.patienceMs ?? 60_000)
  try {
    await client.query('SET statement_timeout = 0')
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK])
    await migrateQueue(url)
    const applied = await applyMigrations(url)
    log.info({ applied }, applied.length === 0 ? 'The database is up to date' : 'The database was migrated')
  } finally {
    await client.end()
  }
}

async function connectWithPatience(url: string, log: Log, patienceMs: number): Promise<pg.Client> {
  const deadline = Date.now() + patienceMs
  for (let tries = 0; ; tries++) {
    // Whoever comes second waits for as long as the first one takes.
    const client = new pg.Client({ ...connectionConfig(url), query_timeout: 0 })
    client.on('error', (error) => log.debug({ reason: error.message }, 'The connection broke'))
    try {
      await client.connect()
      return client
    } catch (error) {
      if (!isDatabaseAway(error)) throw error
      if (Date.now() >= deadline) {
        throw new Error(`The database did not answer within ${patienceMs} ms`, { cause: error })
      }
      if (tries % 20 === 0) log.info({ reason: describeError(error) }, 'Waiting for the database')
      await sleep(500)
    }
  }
}

/** @returns the names of the migrations that were missing. */
async function applyMigrations(url: string): Promise<string[]> {
  const { engine, causeOf, close } = await openSchemaEngine({ url })
  try {
    const { appliedMigrationNames } = await engine.applyMigrations({
      migrationsList: await readMigrations(),
      filters: { externalTables: [], externalEnums: [] },
    })
    return appliedMigrationNames
  } catch (error) {
    const cause = causeOf(error) ?? error
    throw new Error(`The migrations could not be applied: ${describeError(cause)}`, { cause })
  } finally {
    await close()
  }
}
