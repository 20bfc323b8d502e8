/** The receiving end of the queue: one suite, run on both backends. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '@wavemill/core/log'
import { openSegmentQueue, type SegmentJob, type SegmentQueue } from '@wavemill/core/queue'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { availableBackends, type TestBackend } from '../../core/test/support/queue-backends.ts'
import { type ConsumeOptions, type Consumer, consumeSegments } from '../src/consume.ts'
import { createGate, stopReason, until } from './support/jobs.ts'

const log = createLog('test', 'silent')
const job = { recordKey: '17', seq: 3 }
const empty = { waiting: 0, active: 0, delayed: 0, failed: 0 }

describe.each(availableBackends())('jobs of a queue on $name', ({ start }) => {
  let backend: TestBackend
  let name: string
  let queue: SegmentQueue
  let consumers: Consumer[]

  beforeAll(async () => {
    backend = await start()
  })
  afterAll(() => backend.stop())
  beforeEach(async () => {
    name = `test-${randomUUID()}`
    queue = await openSegmentQueue({ ...backend, name, log })
    consumers = []
  })
  afterEach(async () => {
    await Promise.all(consumers.map((consumer) => consumer.close(1_000)))
    await queue.close()
  })

  function consume(onJob: ConsumeOptions['onJob'], options: Partial<ConsumeOptions> = {}): Consumer {
    const consumer = consumeSegments({ ...backend, name, log, concurrency: 2, onJob, ...options })
    consumers.push(consumer)
    return consumer
  }
  const isEmpty = async () => JSON.stringify(await queue.counts()) === JSON.stringify(empty)

  it('run, and leave nothing behind', async () => {
    const seen: SegmentJob[] = []
    consume(async (given) => void seen.push(given))
    await queue.add([job])
    await until(async () => seen.length > 0 && (await isEmpty())) // a job between two states is in neither count
    expect(seen).toEqual([job])
    expect(await backend.tracesOf(name, 'r17-s3')).toBe(0)
  })

  it('that fail by a bug leave nothing behind either, and run again when they are added again', async () => {
    let runs = 0
    consume(async () => {
      runs += 1
      throw new Error('a bug')
    })
    await queue.add([job])
    await until(async () => runs === 1 && (await isEmpty()))
    expect(await backend.tracesOf(name, 'r17-s3')).toBe(0)
    await queue.add([job])
    await until(async () => runs === 2 && (await isEmpty()))
  })

  it('run again when they are added after they ended', async () => {
    let runs = 0
    consume(async () => {
      runs += 1
    })
    for (const nth of [1, 2, 3]) {
      await queue.add([job])
      await until(async () => runs === nth && (await isEmpty()))
    }
  })

  it('are not added a second time while they run', async () => {
    const gate = createGate()
    let runs = 0
    consume(async () => {
      runs += 1
      await gate.opened
    })
    await queue.add([job])
    await until(() => runs === 1)
    await queue.add([job])
    expect(await queue.counts()).toEqual({ ...empty, active: 1 })
    gate.open()
    await until(isEmpty)
    expect(runs).toBe(1)
  })

  it('that run are not removed, and nobody is told off', async () => {
    const gate = createGate()
    const seen: SegmentJob[] = []
    consume(async (given) => {
      seen.push(given)
      await gate.opened
    })
    await queue.add([job])
    await until(() => seen.length === 1)
    await queue.remove([job])
    expect(await queue.counts()).toEqual({ ...empty, active: 1 })
    gate.open()
    await until(isEmpty)
  })

  it('run in the order in which they were added, a thousand of them', async () => {
    const jobs = Array.from({ length: 1_000 }, (_, seq) => ({ recordKey: '1', seq }))
    const seen: number[] = []
    await queue.add(jobs)
    consume(async ({ seq }) => void seen.push(seq), { concurrency: 1 })
    await until(isEmpty)
    expect(seen).toEqual(jobs.map(({ seq }) => seq))
  })

  it('run as many at once as the concurrency says, in two workers twice as many', async () => {
    const gate = createGate()
    let running = 0
    let most = 0
    const onJob = async () => {
      running += 1
      most = Math.max(most, running)
      await gate.opened
      running -= 1
    }
    consume(onJob, { concurrency: 2 })
    consume(onJob, { concurrency: 2 })
    await queue.add(Array.from({ length: 9 }, (_, seq) => ({ recordKey: '1', seq })))
    await until(async () => (await queue.counts()).active === 4)
    gate.open()
    await until(isEmpty)
    expect(most).toBe(4)
  })

  it('whose data names no segment are dropped', async () => {
    const seen: SegmentJob[] = []
    consume(async (given) => void seen.push(given))
    await queue.bull.add('by hand', { recordKey: '../../etc/passwd', seq: 0 })
    await queue.bull.add('by hand', 'text')
    await queue.add([job])
    await until(isEmpty)
    expect(seen).toEqual([job])
  })

  it('are told to stop when their record is cancelled, those of other records are not', async () => {
    const gate = createGate()
    const stopped: string[] = []
    let running = 0
    const consumer = consume(
      async ({ recordKey, seq }, signal) => {
        running += 1
        const reason = await Promise.race([stopReason(signal), gate.opened])
        if (reason !== undefined) stopped.push(`${recordKey}/${seq} ${reason}`)
      },
      { concurrency: 3 },
    )
    await queue.add([
      { recordKey: '1', seq: 0 },
      { recordKey: '1', seq: 1 },
      { recordKey: '11', seq: 0 },
    ])
    await until(() => running === 3)
    consumer.cancelRecord(1n)
    consumer.cancelRecord(99n)
    await until(async () => (await queue.counts()).active === 1)
    expect(stopped.toSorted()).toEqual(['1/0 cancelled', '1/1 cancelled'])
    gate.open()
    await until(isEmpty)
    expect(stopped).toHaveLength(2)
  })

  it('are told to stop when their lock is lost', async () => {
    const reasons: string[] = []
    let running = false
    consume(
      async (_given, signal) => {
        running = true
        reasons.push(await stopReason(signal))
      },
      { lockMs: 600 },
    )
    await queue.add([job])
    await until(() => running)
    await backend.dropLock(name, 'r17-s3')
    await until(() => reasons.length > 0)
    expect(reasons).toEqual(['lock-lost'])
  })

  it('keep their lock for as long as they run', async () => {
    const gate = createGate()
    const seen: boolean[] = []
    const onJob = async (_given: SegmentJob, signal: AbortSignal) => {
      await gate.opened
      seen.push(signal.aborted)
    }
    consume(onJob, { lockMs: 300, stalledCheckMs: 100 })
    consume(onJob, { lockMs: 300, stalledCheckMs: 100 })
    await queue.add([job])
    await sleep(2_000) // several locks long, and many looks for stalled jobs
    gate.open()
    await until(isEmpty)
    expect(seen).toEqual([false])
  })

  it('can be added and run after the server lost everything, also the one that was running', async () => {
    const gate = createGate()
    const reasons: string[] = []
    let runs = 0
    consume(
      async (_given, signal) => {
        runs += 1
        if (runs === 1) reasons.push(await stopReason(signal))
        else await gate.opened
      },
      { lockMs: 600 },
    )
    await queue.add([job])
    await until(() => runs === 1)
    await backend.loseEverything()
    await queue.add([job, { recordKey: '18', seq: 0 }])
    await until(() => runs === 3)
    gate.open()
    await until(isEmpty)
    expect(reasons).toEqual(['lock-lost'])
  })
})
