/** Listening through everything that happens to connections. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '@wavemill/core/log'
import { afterEach, expect, test } from 'vitest'
import { startProxy } from '../../test/support/cuttable-proxy.ts'
import { type Listener, type ListenOptions, listen } from '../src/listen.ts'
import { useTestDb } from './support/test-db.ts'

const testDb = useTestDb()
const NAME = 'wavemill listening test'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Heard {
  readonly listener: Listener
  readonly notices: string[]
  /** How often it began to listen. */
  times: number
}

function startListening(changes: Partial<ListenOptions> = {}): Heard {
  const notices: string[] = []
  const listener = listen({
    url: testDb.url,
    applicationName: NAME,
    channel: 'wavemill_test',
    log: createLog('test', 'silent'),
    onNotice: (payload) => notices.push(payload),
    onListening() {
      heard.times += 1
    },
    ...changes,
  })
  const heard = { listener, notices, times: 0 }
  closers.push(() => listener.close())
  return heard
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await sleep(10)
}

async function notify(payload: string): Promise<void> {
  await testDb.db.pool.query('SELECT pg_notify($1, $2)', ['wavemill_test', payload])
}

async function connections(): Promise<number> {
  const { rowCount } = await testDb.db.pool.query(
    'SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1',
    [NAME],
  )
  return rowCount ?? 0
}

async function terminate(): Promise<void> {
  await testDb.db.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = $1`,
    [NAME],
  )
}

test('what is announced once it listens is heard, in order, and nothing after it is closed', async () => {
  const heard = startListening()
  await until(() => heard.times === 1)
  for (const payload of ['1', '', 'two words']) await notify(payload)
  await until(() => heard.notices.length === 3)
  expect(heard.notices).toEqual(['1', '', 'two words'])
  await heard.listener.close()
  await until(async () => (await connections()) === 0)
  await notify('late')
  expect(heard.notices).toHaveLength(3)
})

test('a connection that is cut is made again, and whoever listens is told to look at the state', async () => {
  const heard = startListening()
  for (const times of [1, 2, 3]) {
    await until(() => heard.times === times)
    await notify(`${times}`)
    await until(() => heard.notices.length === times)
    await terminate()
  }
  await until(async () => (await connections()) === 1)
})

test('if the state cannot be read, it is tried again', async () => {
  let tries = 0
  const heard = startListening({
    async onListening() {
      tries += 1
      if (tries < 3) throw new Error('the database went away')
      heard.times += 1
    },
  })
  await until(() => heard.times === 1)
  expect(tries).toBe(3)
  expect(await connections()).toBe(1)
})

test('it begins when the database is there, and finds a host that fell silent', async () => {
  const proxy = await startProxy(testDb.url, { cut: true })
  closers.push(() => proxy.stop())
  const heard = startListening({ url: proxy.url, checkEveryMs: 100 })
  await sleep(200)
  expect(heard.times).toBe(0)
  await proxy.restore()
  await until(() => heard.times === 1)
  proxy.silence()
  await sleep(5_500) // longer than an answer may take
  await proxy.restore()
  await until(() => heard.times === 2)
  await notify('heard')
  await until(() => heard.notices.length === 1)
})

test('it can be closed while the database is away or silent', async () => {
  const proxy = await startProxy(testDb.url)
  closers.push(() => proxy.stop())
  const heard = startListening({ url: proxy.url })
  await until(() => heard.times === 1)
  proxy.silence()
  await heard.listener.close()
  await proxy.cut()
  await startListening({ url: proxy.url }).listener.close()
})
