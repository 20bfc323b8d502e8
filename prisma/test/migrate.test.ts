/** Migrating real, empty databases: again, by several processes at once, and as the container's one-shot process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createLog } from '@wavemill/core/log'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startProxy } from '../../test/support/cuttable-proxy.ts'
import { createEmptyDatabase, type TestDatabase } from '../../test/support/database.ts'
import { freePort } from '../../test/support/ports.ts'
import { openDatabase } from '../src/database.ts'
import { migrateDatabase } from '../src/migrate.ts'
import { waitForDatabase } from '../src/migrations.ts'

const log = createLog('test', 'silent')
const packageFolder = fileURLToPath(new URL('..', import.meta.url))

let database: TestDatabase
beforeEach(async () => {
  database = await createEmptyDatabase()
})
afterEach(async () => {
  await database.drop()
})

async function ask(sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const { rows } = await client.query(sql).finally(() => client.end())
  return rows
}

/** Every migration of this folder was applied, once, and the queue has its tables. */
async function expectMigrated(): Promise<void> {
  const entries = await readdir(join(packageFolder, 'migrations'), { withFileTypes: true })
  const names = entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  const applied = await ask(
    'SELECT migration_name AS name, finished_at IS NOT NULL AS finished FROM _prisma_migrations ORDER BY 1',
  )
  expect(applied).toEqual(names.sort().map((name) => ({ name, finished: true })))
  expect(await ask(`SELECT FROM information_schema.tables WHERE table_schema = 'bullmq'`)).not.toEqual([])
}

async function run(
  command: string,
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number; output: string }> {
  const child = spawn(command, args, { cwd: packageFolder, env: { ...process.env, ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [code] = await once(child, 'close')
  return { code, output }
}

test('a database is migrated, and migrating it again changes nothing', async () => {
  await migrateDatabase(database.url, log)
  await expectMigrated()
  await migrateDatabase(database.url, log)
  await expectMigrated()
})

test('three who migrate at once do it once', async () => {
  await Promise.all([1, 2, 3].map(() => migrateDatabase(database.url, log)))
  await expectMigrated()
})

test('three processes that migrate at once all end well', async () => {
  const args = ['--import', 'tsx', '--conditions', 'source', 'src/migrate-main.ts']
  const results = await Promise.all(
    [1, 2, 3].map(() => run(process.execPath, args, { DATABASE_URL: database.url, LOG_LEVEL: 'info' })),
  )
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0])
  expect(results.filter(({ output }) => output.includes('The database was migrated'))).toHaveLength(1)
  await expectMigrated()
})

test('a process that cannot migrate says why, without the password, and ends badly', async () => {
  const url = `postgres://someone:hush@127.0.0.1:${await freePort()}/nowhere`
  const args = ['--import', 'tsx', '--conditions', 'source', '--input-type=module']
  const script = `import { migrateDatabase } from './src/migrate.ts'
    import { createLog } from '@wavemill/core/log'
    await migrateDatabase('${url}', createLog('migrate', 'trace'), { patienceMs: 100 }).catch((error) => {
      console.log(error.message)
      process.exit(1)
    })`
  const { code, output } = await run(process.execPath, [...args, '--eval', script], {})
  expect(code).toBe(1)
  expect(output).toContain('did not answer')
  expect(output).not.toContain('hush')
})

test('migrating waits for a server that is not up yet', async () => {
  const proxy = await startProxy(database.url, { cut: true })
  try {
    const migrating = migrateDatabase(proxy.url, log)
    await sleep(300)
    await proxy.restore()
    await migrating
    await expectMigrated()
  } finally {
    await proxy.stop()
  }
})

test('a process waits until the database answers and is migrated', async () => {
  const proxy = await startProxy(database.url, { cut: true })
  const db = openDatabase({ url: proxy.url, applicationName: 'waiting', log })
  try {
    let isThere = false
    const waiting = waitForDatabase(db, { log }).then(() => {
      isThere = true
    })
    await proxy.restore()
    await sleep(700)
    expect(isThere).toBe(false) // it answers, but has no tables
    await migrateDatabase(database.url, log)
    await waiting
  } finally {
    await db.close()
    await proxy.stop()
  }
})

test('waiting ends when it is told to, and at an error that no waiting mends', async () => {
  const stop = new AbortController()
  const db = openDatabase({ url: database.url, applicationName: 'waiting', log })
  const waiting = waitForDatabase(db, { log, signal: stop.signal })
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow()
  await db.close()
  const nowhere = openDatabase({ url: `${database.url}_nowhere`, applicationName: 'waiting', log })
  await expect(waitForDatabase(nowhere, { log })).rejects.toThrow(/does not exist/)
  await nowhere.close()
})

test("Prisma's own command line sees no drift between the migrations, the schema and the database", async () => {
  await migrateDatabase(database.url, log)
  const env = { DATABASE_URL: database.url }
  const prisma = (args: string) => run('node_modules/.bin/prisma', args.split(' '), env)
  expect(await prisma('migrate status')).toMatchObject({
    code: 0,
    output: expect.stringContaining('Database schema is up to date'),
  })
  for (const from of ['--from-migrations migrations', '--from-config-datasource']) {
    expect(await prisma(`migrate diff ${from} --to-schema schema.prisma --exit-code`)).toMatchObject({
      code: 0,
      output: expect.stringContaining('No difference detected'),
    })
  }
  const shadow = `${new URL(database.url).pathname.slice(1, 30)}_shadow_`
  const shadows = () => ask(`SELECT FROM pg_database WHERE starts_with(datname, '${shadow}')`)
  while ((await shadows()).length > 0) await sleep(20) // the engine drops it while the command ends
})

test('what Prisma has no words for is in the tables all the same', async () => {
  await migrateDatabase(database.url, log)
  expect(
    await ask(`SELECT attstorage FROM pg_attribute WHERE attrelid = 'chunk'::regclass AND attname = 'data'`),
  ).toEqual([{ attstorage: 'e' }])
  const wrong = [
    `INSERT INTO "user" (id, name, token_hash) VALUES (gen_random_uuid(), '', sha256('a'))`,
    `INSERT INTO "user" (id, name, token_hash) VALUES (gen_random_uuid(), 'a', 'a')`,
  ]
  for (const sql of wrong) await expect(ask(sql)).rejects.toThrow(/violates check constraint/)
})
