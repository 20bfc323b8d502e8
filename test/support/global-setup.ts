/** Runs once around all tests: a PostgreSQL, and in it a migrated template that each test file's database is copied from. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog, type Log } from '@wavemill/core/log'
import { migrateDatabase } from '@wavemill/prisma/migrate'
import type { TestProject } from 'vitest/node'
import { databaseUrl, runOnServer } from './database-server.ts'

/** What the test files are told of the server. */
export interface TestServer {
  /** A connection that may make databases. */
  readonly adminUrl: string
  readonly template: string
  /** How the name of each database of this run begins. */
  readonly prefix: string
}

declare module 'vitest' {
  interface ProvidedContext {
    testServer: TestServer
  }
}

/** Uses the server that TEST_DATABASE_URL names, or else starts one in a temporary folder. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const log = createLog('test', 'warn')
  const given = process.env.TEST_DATABASE_URL
  const server =
    given === undefined || given === '' ? await startServer(log) : { url: given, stop: async () => {} }
  const prefix = `wavemill_test_${randomBytes(4).toString('hex')}_`
  const testServer = { adminUrl: server.url, template: `${prefix}template`, prefix }
  async function teardown(): Promise<void> {
    await dropDatabases(testServer).finally(() => server.stop())
  }
  try {
    await runOnServer(testServer.adminUrl, `CREATE DATABASE ${testServer.template}`)
    await migrateDatabase(databaseUrl(testServer.adminUrl, testServer.template), log)
    project.provide('testServer', testServer)
    return teardown
  } catch (error) {
    await teardown()
    throw error
  }
}

async function startServer(log: Log): Promise<{ url: string; stop(): Promise<void> }> {
  const { startEmbeddedPostgres } = await import('@wavemill/local/embedded-postgres')
  const folder = await mkdtemp(join(tmpdir(), 'wavemill-postgres-'))
  const removeFolder = () => rm(folder, { recursive: true, force: true })
  try {
    const { url, stop } = await startEmbeddedPostgres({ dataDir: join(folder, 'data'), log })
    return { url, stop: () => stop().finally(removeFolder) }
  } catch (error) {
    await removeFolder()
    throw error
  }
}

/** Also those of tests that failed before they could drop theirs. */
async function dropDatabases({ adminUrl, prefix }: TestServer): Promise<void> {
  const rows = await runOnServer(
    adminUrl,
    `SELECT datname FROM pg_database WHERE starts_with(datname, '${prefix}')`,
  )
  for (const { datname } of rows) await runOnServer(adminUrl, `DROP DATABASE ${datname} WITH (FORCE)`)
}
