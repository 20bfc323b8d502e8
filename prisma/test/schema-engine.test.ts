/** Prisma's schema engine as WebAssembly: what it says of a bad migration, and its part in Prisma's own command line. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createEmptyDatabase, type TestDatabase } from '../../test/support/database.ts'
import { openSchemaEngine } from '../src/schema-engine.ts'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))

let database: TestDatabase
let folder: string
beforeEach(async () => {
  database = await createEmptyDatabase()
  folder = await mkdtemp(join(tmpdir(), 'wavemill-prisma-'))
})
afterEach(async () => {
  await database.drop()
  await rm(folder, { recursive: true })
})

/** Applies one migration with this SQL. @returns what the engine threw, and the database's own error behind it. */
async function apply(sql: string): Promise<{ error: unknown; cause: unknown } | undefined> {
  const { engine, causeOf, close } = await openSchemaEngine({ url: database.url })
  try {
    await engine.applyMigrations({
      migrationsList: {
        baseDir: folder,
        lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"' },
        shadowDbInitScript: '',
        migrationDirectories: [
          { path: '1_test', migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } } },
        ],
      },
      filters: { externalTables: [], externalEnums: [] },
    })
    return undefined
  } catch (error) {
    return { error, cause: causeOf(error) }
  } finally {
    await close()
  }
}

async function ask(sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const { rows } = await client.query(sql).finally(() => client.end())
  return rows
}

test('a migration with semicolons in texts and functions is applied as it is', async () => {
  const sql = `CREATE FUNCTION answer() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 'a;b'; END; $$; CREATE TABLE t (x int);`
  expect(await apply(sql)).toBeUndefined()
  expect(await ask('SELECT answer() FROM t RIGHT JOIN (SELECT 1) AS one ON true')).toEqual([
    { answer: 'a;b' },
  ])
})

test("a migration that fails changes nothing, and tells the database's own words", async () => {
  const failed = await apply('CREATE TABLE t (x int); SELEKT;')
  expect(failed?.cause).toMatchObject({ message: 'syntax error at or near "SELEKT"', code: '42601' })
  expect(await ask(`SELECT to_regclass('t') AS t`)).toEqual([{ t: null }])
})

test('`prisma migrate dev` brings a database up to date and writes the migration of a changed schema', async () => {
  await writeFile(
    join(folder, 'schema.prisma'),
    'datasource db {\n provider = "postgresql"\n}\nmodel tape {\n id Int @id\n label String\n}\n',
  )
  await mkdir(join(folder, 'migrations/1_tape'), { recursive: true })
  await writeFile(join(folder, 'migrations/migration_lock.toml'), 'provider = "postgresql"')
  await writeFile(
    join(folder, 'migrations/1_tape/migration.sql'),
    // The kind of a constraint is a "char" in the catalogue.
    `CREATE TABLE tape (id int NOT NULL CHECK (id > 0), CONSTRAINT tape_pkey PRIMARY KEY (id))`,
  )
  await writeFile(
    join(folder, 'prisma.config.mjs'),
    `export default {
      schema: 'schema.prisma',
      migrations: { path: 'migrations' },
      datasource: { url: process.env.DATABASE_URL },
    }`,
  )
  await promisify(execFile)(
    join(packageFolder, 'node_modules/.bin/prisma'),
    ['migrate', 'dev', '--create-only', '--name', 'label', '--config', 'prisma.config.mjs'],
    {
      cwd: folder,
      env: {
        ...process.env,
        DATABASE_URL: database.url,
        PRISMA_SCHEMA_ENGINE_BINARY: join(packageFolder, 'tools/schema-engine.mjs'),
        CHECKPOINT_DISABLE: '1',
      },
    },
  )
  expect(await ask('TABLE tape')).toEqual([])
  const written = (await readdir(join(folder, 'migrations'))).find((name) => name.endsWith('_label')) ?? ''
  const sql = await readFile(join(folder, 'migrations', written, 'migration.sql'), 'utf8')
  expect(sql).toContain('ALTER TABLE "tape" ADD COLUMN     "label" TEXT NOT NULL;')
})
