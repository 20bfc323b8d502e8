/** Every way in which a database can be away, made to happen, seen through Prisma and through plain queries. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '@wavemill/core/log'
import { expect, test } from 'vitest'
import { type CuttableProxy, startProxy } from '../../test/support/cuttable-proxy.ts'
import { freePort } from '../../test/support/ports.ts'
import { type Database, openDatabase } from '../src/database.ts'
import { isDatabaseAway } from '../src/database-away.ts'
import { insertRecord, wasRecordInserted } from '../src/insert-record.ts'
import { withReconcilerLock } from '../src/reconcile.ts'
import { createUser } from '../src/users.ts'
import { planTestRecord, sha256 } from './support/material.ts'
import { useTestDb } from './support/test-db.ts'

const testDb = useTestDb()

/** The same question in each of the ways in which this package asks. */
const asks: Record<string, (db: Database, sql: string) => Promise<unknown>> = {
  'a plain query': (db, sql) => db.pool.query(sql),
  Prisma: (db, sql) => db.prisma.$queryRawUnsafe(sql),
  'a transaction of Prisma': (db, sql) =>
    db.prisma.$transaction([db.prisma.$queryRawUnsafe('SELECT 1'), db.prisma.$queryRawUnsafe(sql)]),
}

/** What was thrown, which must be something. */
async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => expect.unreachable('nothing was thrown'),
    (error: unknown) => error,
  )
}

async function withDatabase(url: string, work: (db: Database) => Promise<void>): Promise<void> {
  const log = createLog('test', 'silent')
  const db = openDatabase({ url, applicationName: 'wavemill away', log, poolSize: 2 })
  await work(db).finally(() => db.close())
}

async function withProxy(work: (proxy: CuttableProxy) => Promise<void>): Promise<void> {
  const proxy = await startProxy(testDb.url)
  await work(proxy).finally(() => proxy.stop())
}

function withPort(port: number): string {
  const url = new URL(testDb.url)
  url.port = String(port)
  return url.href
}

/** Ends the sessions of {@link withDatabase} that are at this query, as soon as there is one. */
async function endSessionsAt(query: string): Promise<void> {
  const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'wavemill away'
      AND state = 'active' AND query LIKE $1`
  while ((await testDb.db.pool.query(end, [query])).rowCount === 0) await sleep(10)
}

for (const [name, ask] of Object.entries(asks)) {
  test(`a refused connection is told from other errors by what ${name} throws`, async () => {
    await withDatabase(withPort(await freePort()), async (db) => {
      expect(isDatabaseAway(await thrownBy(ask(db, 'SELECT 1')))).toBe(true)
    })
  })

  test(`a session that an administrator ends in the middle of ${name} is told, and the next one works`, async () => {
    await withDatabase(testDb.url, async (db) => {
      const asking = thrownBy(ask(db, 'SELECT 1 FROM pg_sleep(30)'))
      await endSessionsAt('%pg_sleep(30)')
      expect(isDatabaseAway(await asking)).toBe(true)
      await ask(db, 'SELECT 1')
    })
  })

  test(`a network that breaks in the middle of ${name} is told, and so is each query until it is back`, async () => {
    await withProxy(async (proxy) => {
      await withDatabase(proxy.url, async (db) => {
        await ask(db, 'SELECT 1')
        const asking = thrownBy(ask(db, 'SELECT 1 FROM pg_sleep(20)'))
        await sleep(50)
        await proxy.cut()
        expect(isDatabaseAway(await asking)).toBe(true)
        expect(isDatabaseAway(await thrownBy(ask(db, 'SELECT 1')))).toBe(true)
        await proxy.restore()
        await ask(db, 'SELECT 1')
      })
    })
  })

  test(`a server that lets nobody else in is told by ${name}`, async () => {
    const role = `wavemill_test_${randomUUID().replaceAll('-', '')}`
    await testDb.db.pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x' CONNECTION LIMIT 0`)
    const url = new URL(testDb.url)
    url.username = role
    url.password = 'x'
    try {
      await withDatabase(url.href, async (db) => {
        expect(isDatabaseAway(await thrownBy(ask(db, 'SELECT 1')))).toBe(true)
      })
    } finally {
      await testDb.db.pool.query(`DROP ROLE ${role}`)
    }
  })

  test(`what is wrong with the question of ${name} is no outage`, async () => {
    for (const wrong of ['SELEKT', 'SELECT 1/0', 'TABLE nowhere', `SELECT 'x'::int`]) {
      expect(isDatabaseAway(await thrownBy(ask(testDb.db, wrong)))).toBe(false)
    }
    const unknown = new URL(testDb.url)
    unknown.pathname = '/no_such_database'
    await withDatabase(unknown.href, async (db) => {
      expect(isDatabaseAway(await thrownBy(ask(db, 'SELECT 1')))).toBe(false)
    })
  })
}

// Each of these waits for the five seconds that a connection may take.
for (const [name, ask] of Object.entries(asks)) {
  test.concurrent(`a host that falls silent is told by ${name}, in bounded time`, async () => {
    await withProxy(async (proxy) => {
      await withDatabase(proxy.url, async (db) => {
        proxy.silence()
        expect(isDatabaseAway(await thrownBy(ask(db, 'SELECT 1')))).toBe(true)
      })
    })
  })

  test.concurrent(`a pool whose connections are all lent out is told by ${name}`, async () => {
    await withDatabase(testDb.url, async (db) => {
      const lent = [await db.pool.connect(), await db.pool.connect()]
      try {
        expect(isDatabaseAway(await thrownBy(ask(db, 'SELECT 1')))).toBe(true)
      } finally {
        for (const client of lent) client.release()
      }
    })
  })
}

test('an ordinary read and a taken name are what they are', async () => {
  await withDatabase(withPort(await freePort()), async (db) => {
    const user = { id: randomUUID(), name: 'Ada', tokenHash: sha256('a') }
    expect(isDatabaseAway(await thrownBy(createUser(db, user)))).toBe(true)
  })
  const tooLong = { id: randomUUID(), name: 'A'.repeat(101), tokenHash: sha256('a') }
  expect(isDatabaseAway(await thrownBy(createUser(testDb.db, tooLong)))).toBe(false)
})

test('errors that only wrap others are looked into, and what is no error at all is no outage', () => {
  const refused = Object.assign(new Error(''), { code: 'ECONNREFUSED' })
  expect(isDatabaseAway(new Error('outer', { cause: new Error('inner', { cause: refused }) }))).toBe(true)
  expect(isDatabaseAway(new AggregateError([new Error('one'), refused]))).toBe(true)
  const circle: { cause?: unknown } = {}
  circle.cause = circle
  for (const other of [circle, undefined, null, 'ECONNREFUSED', 57, new Error('57P01'), { code: 'ENOENT' }]) {
    expect(isDatabaseAway(other)).toBe(false)
  }
})

test('the reconciler and the question after a lost commit tell of an outage as well', async () => {
  const url = withPort(await freePort())
  expect(isDatabaseAway(await thrownBy(withReconcilerLock(url, async () => {})))).toBe(true)
  expect(isDatabaseAway(await thrownBy(wasRecordInserted(url, 1n)))).toBe(true)
})

test('an insertion whose connection broke is found out for sure, committed or not', async () => {
  await withDatabase(testDb.url, async (db) => {
    const record = await planTestRecord(db, testDb.userId)
    const blocker = await testDb.db.pool.connect()
    try {
      // The insertion waits at its segments, with its record written and not committed.
      await blocker.query('BEGIN; LOCK TABLE segment IN SHARE MODE')
      const inserting = thrownBy(insertRecord(db, record))
      await waitForQuery('%INSERT INTO segment%')
      let isAnswered = false
      const asking = wasRecordInserted(testDb.url, record.key).finally(() => {
        isAnswered = true
      })
      await sleep(100)
      expect(isAnswered).toBe(false) // as long as it may still be committed
      await endSessionsAt('%INSERT INTO segment%')
      expect(isDatabaseAway(await inserting)).toBe(true)
      expect(await asking).toBe(false)
    } finally {
      await blocker.query('ROLLBACK')
      blocker.release()
    }
    await insertRecord(db, record)
    expect(await wasRecordInserted(testDb.url, record.key)).toBe(true)
  })
})

async function waitForQuery(query: string): Promise<void> {
  const look = `SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1`
  while ((await testDb.db.pool.query(look, [query])).rowCount === 0) await sleep(10)
}

test('a process that is stopped within a transaction holds no lock for ever', async () => {
  await withDatabase(testDb.url, async (db) => {
    const { rows } = await db.pool.query(
      `SELECT current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('TimeZone') AS zone,
         current_setting('statement_timeout') AS statement`,
    )
    expect(rows).toEqual([{ idle: '10s', zone: 'UTC', statement: '1min' }])
  })
})

test('what a URL itself asks for is kept beside our own settings', async () => {
  const url = new URL(testDb.url)
  url.searchParams.set('options', '-c work_mem=5MB -c TimeZone=Asia/Kathmandu')
  await withDatabase(url.href, async (db) => {
    const { rows } = await db.pool.query(
      `SELECT current_setting('work_mem') AS memory, current_setting('TimeZone') AS zone`,
    )
    expect(rows).toEqual([{ memory: '5MB', zone: 'UTC' }])
  })
})
