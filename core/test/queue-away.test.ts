/** What the sending end does while the queue's server is away, silent, or not there yet: one suite on both backends. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createEmptyDatabase } from '../../test/support/database.ts'
import { startRedis } from '../../test/support/redis.ts'
import { missing } from '../../test/support/requirement.ts'
import { createLog } from '../src/log.ts'
import { openSegmentQueue, type QueueOptions, type SegmentQueue } from '../src/queue.ts'
import { createKeptLog } from './support/kept-log.ts'
import { availableBackends, type TestBackend } from './support/queue-backends.ts'

const log = createLog('test', 'silent')
const job = { recordKey: '17', seq: 3 }

/** Opens a queue that is closed when the test ends. */
async function open(options: QueueOptions): Promise<SegmentQueue> {
  const queue = await openSegmentQueue(options)
  onTestFinished(() => queue.close())
  return queue
}

/** Tries until it succeeds; the test's own timeout bounds it. */
async function untilItWorks<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch {
      await sleep(50)
    }
  }
}

describe.each(availableBackends())('a queue on $name that goes away', ({ start }) => {
  let backend: TestBackend
  let name: string

  beforeAll(async () => {
    backend = await start()
  })
  afterAll(() => backend.stop())
  beforeEach(() => {
    name = `test-${randomUUID()}`
  })

  async function proxied(options?: { cut: boolean }) {
    const { proxy, ...home } = await backend.proxied(options)
    onTestFinished(() => proxy.stop())
    return { proxy, options: { ...home, name, log } }
  }

  it('rejects while its server is stopped, and works again when it is back', async () => {
    const { proxy, options } = await proxied()
    const queue = await open(options)
    await queue.add([job])
    await proxy.cut()
    await expect(queue.add([{ recordKey: '18', seq: 0 }])).rejects.toThrow()
    await expect(queue.remove([job])).rejects.toThrow()
    await expect(queue.counts()).rejects.toThrow()
    await expect(queue.ping()).rejects.toThrow()
    await proxy.restore()
    await untilItWorks(() => queue.ping())
    await queue.add([{ recordKey: '19', seq: 0 }])
    const waiting = await queue.bull.getPrioritized()
    expect(waiting.map(({ id }) => id)).toEqual(expect.arrayContaining(['r17-s3', 'r19-s0']))
  })

  it('rejects while its server is silent, many times, and works again when it speaks', async () => {
    const { proxy, options } = await proxied()
    const queue = await open(options)
    await queue.ping()
    proxy.silence()
    const results = await Promise.allSettled([
      queue.add([job]),
      queue.ping(),
      queue.counts(),
      queue.remove([{ ...job, seq: job.seq + 1 }]), // another one: given up here, it may still reach the server later
    ])
    expect(results.map(({ status }) => status)).toEqual(Array(4).fill('rejected'))
    await expect(queue.ping()).rejects.toThrow()
    await proxy.restore()
    await untilItWorks(() => queue.add([job]))
    expect((await queue.counts()).waiting).toBe(1)
  })

  it.each(['cut', 'silence'] as const)('closes while its server is away (%s)', async (how) => {
    const { proxy, options } = await proxied()
    const queue = await openSegmentQueue(options)
    await queue.ping()
    await proxy[how]()
    const asked = queue.ping()
    await queue.close()
    await expect(asked).rejects.toThrow()
  })
})

describe.each(availableBackends().filter(({ name }) => name === 'Redis'))('a queue on $name', ({ start }) => {
  it('opens before Redis is there, rejects at once, and works when Redis comes', async () => {
    const backend = await start()
    onTestFinished(() => backend.stop())
    const { proxy, ...home } = await backend.proxied({ cut: true })
    onTestFinished(() => proxy.stop())
    const queue = await open({ ...home, name: `test-${randomUUID()}`, log })
    await expect(queue.add([job])).rejects.toThrow('away')
    await expect(queue.ping()).rejects.toThrow('away')
    await proxy.restore()
    await untilItWorks(() => queue.ping())
    expect((await queue.counts()).waiting).toBe(0) // what was rejected does not arrive later
    await queue.add([job])
    expect((await queue.counts()).waiting).toBe(1)
  })
})

describe.skipIf(missing('redis-server'))('a queue on a Redis with a password', () => {
  it('works with it, and tells nobody a wrong one', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const admin = new Redis(server.url)
    await admin.config('SET', 'requirepass', 'correct-horse')
    onTestFinished(() => admin.disconnect())
    const urlWith = (password: string) => server.url.replace('//', `//:${password}@`)
    const { log: keptLog, lines } = createKeptLog()
    const options = { databaseUrl: 'postgres://nobody@127.0.0.1:1/none', log: keptLog }

    const right = await open({ ...options, redisUrl: urlWith('correct-horse') })
    await right.add([job])
    const wrong = await open({ ...options, redisUrl: urlWith('hunter2') })
    const thrown = await wrong.add([job]).then(
      () => 'nothing',
      (error) => inspect(error, { depth: 10 }),
    )
    expect(thrown).not.toBe('nothing')
    expect(thrown).not.toContain('hunter2')
    expect(lines.join()).toContain('WRONGPASS')
    expect(lines.join()).not.toContain('hunter2')
  })
})

describe('a queue on PostgreSQL', () => {
  it('is not opened while PostgreSQL is away or silent, and is once it is back', async () => {
    const backend = await startPostgres()
    const { proxy, ...home } = await backend.proxied({ cut: true })
    onTestFinished(() => proxy.stop())
    const options = { ...home, name: `test-${randomUUID()}`, log }
    await expect(openSegmentQueue(options)).rejects.toThrow('cannot be opened')
    await proxy.restore()
    proxy.silence()
    await expect(openSegmentQueue(options)).rejects.toThrow('cannot be opened')
    await proxy.restore()
    const queue = await open(options)
    await queue.add([job])
    expect((await queue.counts()).waiting).toBe(1)
  })

  it('is not opened in a database that was never migrated', async () => {
    const database = await createEmptyDatabase()
    onTestFinished(() => database.drop())
    const options = { databaseUrl: database.url, redisUrl: undefined, log }
    await expect(openSegmentQueue(options)).rejects.toThrow('bullmq')
  })

  async function startPostgres(): Promise<TestBackend> {
    const kind = availableBackends().find(({ name }) => name === 'PostgreSQL')
    if (kind === undefined) throw new Error('The tests always have PostgreSQL')
    const backend = await kind.start()
    onTestFinished(() => backend.stop())
    return backend
  }
})
