/** Worker processes that are killed, put to sleep, and closed: one suite, run on both backends. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '@wavemill/core/log'
import { openSegmentQueue, type SegmentQueue } from '@wavemill/core/queue'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { availableBackends, type TestBackend } from '../../core/test/support/queue-backends.ts'
import { type ConsumeOptions, type Consumer, consumeSegments } from '../src/consume.ts'
import { type ConsumerChild, startConsumerChild } from './support/children.ts'
import { createGate, until } from './support/jobs.ts'

const log = createLog('test', 'silent')
const job = { recordKey: '17', seq: 3 }
const shortLocks = { lockMs: 600, stalledCheckMs: 200 }

describe.each(availableBackends())('worker processes on $name', ({ start }) => {
  let backend: TestBackend
  let name: string
  let queue: SegmentQueue
  let children: ConsumerChild[]
  let consumers: Consumer[]

  beforeAll(async () => {
    backend = await start()
  })
  afterAll(() => backend.stop())
  beforeEach(async () => {
    name = `test-${randomUUID()}`
    queue = await openSegmentQueue({ ...backend, name, log })
    children = []
    consumers = []
  })
  afterEach(async () => {
    for (const child of children) child.process.kill('SIGKILL')
    await Promise.all(children.map((child) => child.exited))
    await Promise.all(consumers.map((consumer) => consumer.close(1_000)))
    await queue.close()
  })

  function startChild(options: { endless?: boolean } = {}): ConsumerChild {
    const { databaseUrl, redisUrl } = backend
    const child = startConsumerChild({ databaseUrl, redisUrl, name, ...shortLocks, ...options })
    children.push(child)
    return child
  }
  function consume(onJob: ConsumeOptions['onJob'], concurrency = 1): void {
    consumers.push(consumeSegments({ ...backend, name, log, concurrency, onJob, ...shortLocks }))
  }
  const isEmpty = async () => Object.values(await queue.counts()).every((count) => count === 0)

  it('that are killed over and over never cost a job its life', async () => {
    await queue.add([job])
    for (const _ of [1, 2, 3]) {
      const child = startChild()
      await child.said('started 17/3')
      child.process.kill('SIGKILL')
      expect(await child.exited).toBe('SIGKILL')
    }
    let runs = 0
    consume(async () => {
      runs += 1
    })
    await until(isEmpty)
    expect(runs).toBe(1)
    expect(await backend.tracesOf(name, 'r17-s3')).toBe(0)
  })

  it('that slept past their lock learn that the job is not theirs any more', async () => {
    const gate = createGate()
    const aborted: boolean[] = []
    await queue.add([job])
    const sleeper = startChild()
    await sleeper.said('started 17/3')
    sleeper.process.kill('SIGSTOP')
    let isTakenOver = false
    consume(async (_given, signal) => {
      isTakenOver = true
      await gate.opened
      aborted.push(signal.aborted)
    })
    await until(() => isTakenOver)
    sleeper.process.kill('SIGCONT')
    await sleeper.said('stopped lock-lost')
    await sleep(1_000) // longer than a lock: the end of the sleeper's run must not cost the other one its lock
    gate.open()
    await until(isEmpty)
    expect(aborted).toEqual([false])
  })

  it('that take a job again before its first run has ended keep the lock of the second', async () => {
    const [first, second] = [createGate(), createGate()]
    const aborted: boolean[] = []
    consume(async (_given, signal) => {
      const isFirst = aborted.push(signal.aborted) === 1
      await (isFirst ? first.opened : second.opened) // the first does not heed its signal
      aborted.push(signal.aborted)
    }, 2)
    await queue.add([job])
    await until(() => aborted.length === 1)
    await backend.dropLock(name, 'r17-s3')
    await until(() => aborted.length === 2)
    first.open()
    await sleep(2_000) // several locks long
    second.open()
    await until(isEmpty)
    expect(aborted).toEqual([false, false, true, false]) // started, started, first ended, second ended: no third run
  })

  it.each([
    ['that heeds its signal', false],
    ['that never ends', true],
  ])('end by themselves once closed, also with a job %s', async (_what, endless) => {
    const child = startChild({ endless })
    await queue.add([job])
    await child.said('started 17/3')
    child.process.kill('SIGTERM')
    await child.said('stopped shutdown')
    await child.said('closed 1')
    expect(await child.exited).toBe(0)
    expect(await backend.tracesOf(name, 'r17-s3')).toBe(0) // free for the reconciler to add again
  })
})
