/** A database of a test file's own, migrated and empty, so that files run side by side without seeing each other. */
import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { databaseUrl, runOnServer } from './database-server.ts'

export interface TestDatabase {
  readonly url: string
  /** Also ends every connection that is still open to it. */
  drop(): Promise<void>
}

/** Copies the template of {@link setup} in `global-setup.ts`; the caller drops the copy. */
export function createTestDatabase(): Promise<TestDatabase> {
  return createDatabase(inject('testServer').template)
}

/** As {@link createTestDatabase}, but with nothing in it: for tests of the migrations themselves. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return createDatabase('template0')
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const { adminUrl, prefix } = inject('testServer')
  const name = `${prefix}${randomBytes(6).toString('hex')}`
  await runOnServer(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  return {
    url: databaseUrl(adminUrl, name),
    async drop() {
      await runOnServer(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    },
  }
}
