/** A worker whose queue goes away, falls silent, or comes later, and its bounded close: one suite on both backends. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '@wavemill/core/log'
import { openSegmentQueue, type SegmentQueue } from '@wavemill/core/queue'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createKeptLog } from '../../core/test/support/kept-log.ts'
import { availableBackends, type TestBackend } from '../../core/test/support/queue-backends.ts'
import { startRedis } from '../../test/support/redis.ts'
import { missing } from '../../test/support/requirement.ts'
import { type ConsumeOptions, type Consumer, consumeSegments } from '../src/consume.ts'
import { startConsumerChild } from './support/children.ts'
import { createGate, stopReason, until } from './support/jobs.ts'

const log = createLog('test', 'silent')
const job = { recordKey: '17', seq: 3 }
const shortLocks = { lockMs: 600, stalledCheckMs: 200 }

describe.each(availableBackends())('a worker on $name', ({ start }) => {
  let backend: TestBackend
  let name: string
  let queue: SegmentQueue

  beforeAll(async () => {
    backend = await start()
  })
  afterAll(() => backend.stop())
  beforeEach(async () => {
    name = `test-${randomUUID()}`
    queue = await openSegmentQueue({ ...backend, name, log })
    return () => queue.close()
  })

  async function proxied(options?: { cut: boolean }) {
    const { proxy, ...home } = await backend.proxied(options)
    onTestFinished(() => proxy.stop())
    return { proxy, home }
  }
  function consume(options: Partial<ConsumeOptions> & Pick<ConsumeOptions, 'onJob'>): Consumer {
    const consumer = consumeSegments({ ...backend, name, log, concurrency: 1, ...options })
    onTestFinished(async () => void (await consumer.close(1_000)))
    return consumer
  }
  const isEmpty = async () => Object.values(await queue.counts()).every((count) => count === 0)

  it('that starts before its server takes jobs when the server is there', async () => {
    const { proxy, home } = await proxied({ cut: true })
    let runs = 0
    await queue.add([job])
    consume({
      ...home,
      async onJob() {
        runs += 1
      },
    })
    await sleep(1_500) // some tries fail
    expect(runs).toBe(0)
    await proxy.restore()
    await until(isEmpty)
    expect(runs).toBe(1)
  })

  it.each(['cut', 'silence'] as const)('that idles takes jobs again after an outage (%s)', async (how) => {
    const { proxy, home } = await proxied()
    let runs = 0
    consume({
      ...home,
      async onJob() {
        runs += 1
      },
    })
    await queue.add([job])
    await until(async () => runs === 1 && (await isEmpty()))
    await proxy[how]()
    await queue.add([job])
    await sleep(1_500)
    await proxy.restore()
    await until(async () => runs === 2 && (await isEmpty()))
    await queue.add([job])
    await until(async () => runs === 3 && (await isEmpty()))
  })

  it('goes on with its job through an outage that is shorter than the lock', async () => {
    const { proxy, home } = await proxied()
    const gate = createGate()
    const aborted: boolean[] = []
    let isRunning = false
    consume({
      ...home,
      async onJob(_given, signal) {
        isRunning = true
        await gate.opened
        aborted.push(signal.aborted)
      },
    })
    await queue.add([job])
    await until(() => isRunning)
    await proxy.cut()
    await sleep(4_000) // a renewal fails meanwhile
    await proxy.restore()
    await sleep(4_000) // and a later one succeeds
    gate.open()
    await until(isEmpty)
    expect(aborted).toEqual([false])
  })

  it('whose job ends while the server is away leaves no job behind in the end', async () => {
    const { proxy, home } = await proxied()
    const gate = createGate()
    let runs = 0
    consume({
      ...home,
      ...shortLocks,
      async onJob() {
        runs += 1
        await gate.opened
      },
    })
    await queue.add([job])
    await until(() => runs === 1)
    await proxy.cut()
    gate.open()
    await sleep(1_500)
    await proxy.restore()
    await until(isEmpty)
    expect(await backend.tracesOf(name, 'r17-s3')).toBe(0)
  })

  it('does not hammer a server that answers with errors', async () => {
    let runs = 0
    const kept = createKeptLog()
    await queue.add([job])
    await backend.refuseFetching()
    consume({
      log: kept.log,
      async onJob() {
        runs += 1
      },
    })
    await sleep(2_000)
    const complaints = kept.lines.length
    await backend.mend()
    await until(isEmpty)
    expect(runs).toBe(1)
    expect(complaints).toBeGreaterThan(0)
    expect(complaints).toBeLessThan(20) // without a pause they are hundreds
  })

  it('takes no job after it was closed, and closes at once when none runs', async () => {
    let runs = 0
    const consumer = consume({
      async onJob() {
        runs += 1
      },
    })
    await queue.add([job])
    await until(async () => runs === 1 && (await isEmpty()))
    expect(await consumer.close(60_000)).toEqual([])
    await queue.add([job])
    await sleep(500)
    expect(runs).toBe(1)
    expect((await queue.counts()).waiting).toBe(1)
  })

  it('lets a job end that ends in time when it closes', async () => {
    const gate = createGate()
    const aborted: boolean[] = []
    const consumer = consume({
      async onJob(_given, signal) {
        aborted.push(signal.aborted)
        await gate.opened
        aborted.push(signal.aborted)
      },
    })
    await queue.add([job, { recordKey: '18', seq: 0 }])
    await until(() => aborted.length === 1)
    const closed = consumer.close(60_000)
    await sleep(200)
    gate.open()
    expect(await closed).toEqual([])
    expect(aborted).toEqual([false, false])
    expect(await queue.counts()).toEqual({ waiting: 1, active: 0, delayed: 0, failed: 0 })
  })

  it('tells jobs to stop that do not end in time when it closes, and says which', async () => {
    const reasons: string[] = []
    let isRunning = false
    const consumer = consume({
      async onJob(_given, signal) {
        isRunning = true
        reasons.push(await stopReason(signal))
      },
    })
    await queue.add([job])
    await until(() => isRunning)
    expect(await consumer.close(2_000)).toEqual([job])
    expect(reasons).toEqual(['shutdown'])
    expect(await isEmpty()).toBe(true)
  })

  it('abandons a job that never ends when it closes', async () => {
    let isRunning = false
    const consumer = consume({
      async onJob() {
        isRunning = true
        await new Promise(() => {})
      },
    })
    await queue.add([job])
    await until(() => isRunning)
    expect(await consumer.close(1_000)).toEqual([job])
    expect(await isEmpty()).toBe(true)
  })

  it.each(['cut', 'silence'] as const)(
    'ends by itself once closed while its server is away (%s)',
    async (how) => {
      const { proxy, home } = await proxied()
      const child = startConsumerChild({ ...home, name, endless: true })
      onTestFinished(async () => {
        child.process.kill('SIGKILL')
        await child.exited
      })
      await queue.add([job])
      await child.said('started 17/3')
      await proxy[how]()
      child.process.kill('SIGTERM')
      await child.said('closed 1')
      expect(await child.exited).toBe(0)
    },
  )
})

describe.skipIf(missing('redis-server'))('a worker on Redis', () => {
  it('goes on with a Redis that was killed and comes back with nothing', async () => {
    const first = await startRedis()
    const options = { databaseUrl: 'postgres://nobody@127.0.0.1:1/none', redisUrl: first.url, log }
    const queue = await openSegmentQueue(options)
    onTestFinished(() => queue.close())
    const seen: string[] = []
    const consumer = consumeSegments({
      ...options,
      concurrency: 1,
      async onJob({ recordKey }) {
        seen.push(recordKey)
      },
    })
    onTestFinished(async () => void (await consumer.close(1_000)))
    await queue.add([job])
    await until(() => seen.length === 1)
    await first.stop()
    const second = await startRedis(first.port)
    onTestFinished(() => second.stop())
    await until(() =>
      queue.add([{ recordKey: '18', seq: 0 }]).then(
        () => true,
        () => false,
      ),
    )
    await until(() => seen.length === 2)
    expect(seen).toEqual(['17', '18'])
  })
})
