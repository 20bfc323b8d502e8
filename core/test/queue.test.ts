/** The sending end of the queue: one suite, run on both backends. */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLog } from '../src/log.ts'
import { jobIdOf, migrateQueue, openSegmentQueue, type SegmentJob, type SegmentQueue } from '../src/queue.ts'
import { availableBackends, type TestBackend } from './support/queue-backends.ts'

const log = createLog('test', 'silent')

/** The first `count` segments of a record. */
function segmentsOf(recordKey: string, count: number): SegmentJob[] {
  return Array.from({ length: count }, (_, seq) => ({ recordKey, seq }))
}

describe.each(availableBackends())('a queue on $name', ({ name: backendName, start }) => {
  let backend: TestBackend
  let name: string
  let queue: SegmentQueue
  const job = { recordKey: '17', seq: 3 }

  beforeAll(async () => {
    backend = await start()
  })
  afterAll(() => backend.stop())
  beforeEach(async () => {
    name = `test-${randomUUID()}`
    queue = await openSegmentQueue({ ...backend, name, log })
  })
  afterEach(() => queue.close())

  it('answers, and is empty at first', async () => {
    await queue.ping()
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 })
  })

  it('lets an added job wait, with keys as its only data', async () => {
    await queue.add([job])
    expect(await queue.counts()).toEqual({ waiting: 1, active: 0, delayed: 0, failed: 0 })
    const waiting = await queue.bull.getPrioritized()
    expect(waiting.map(({ id, data }) => ({ id, data }))).toEqual([{ id: 'r17-s3', data: job }])
  })

  it('ignores a job whose id waits already, also twice in one call', async () => {
    await queue.add([job])
    await queue.add([job])
    await queue.add([job, job])
    expect((await queue.counts()).waiting).toBe(1)
  })

  it('ignores a job whose id is delayed', async () => {
    await queue.bull.add('segment', job, { jobId: jobIdOf(job), delay: 3_600_000 })
    await queue.add([job])
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 1, failed: 0 })
  })

  it('adds nothing when it is given nothing', async () => {
    await queue.add([])
    expect((await queue.counts()).waiting).toBe(0)
  })

  it('adds a thousand at once, and more than one command carries', async () => {
    await queue.add(segmentsOf('1', 1_000))
    await queue.add([...segmentsOf('1', 1_000), ...segmentsOf('2', 1_500)])
    expect((await queue.counts()).waiting).toBe(2_500)
  })

  it('removes jobs that wait, and ignores those that do not exist', async () => {
    await queue.add(segmentsOf('1', 3))
    await queue.remove([...segmentsOf('1', 2), { recordKey: '99', seq: 0 }])
    expect((await queue.bull.getPrioritized()).map(({ id }) => id)).toEqual(['r1-s2'])
    expect(await backend.tracesOf(name, 'r1-s0')).toBe(0)
  })

  it('adds a job again after it was removed', async () => {
    await queue.add([job])
    await queue.remove([job])
    await queue.add([job])
    expect((await queue.counts()).waiting).toBe(1)
  })

  it('lets jobs wait by their priority, and equals in the order in which they came', async () => {
    const priorities = [3, 2_097_151, 1, 2, undefined, 2]
    await queue.add(
      priorities.map((priority, seq) => ({ recordKey: '1', seq, ...(priority && { priority }) })),
    )
    const ids = (await queue.bull.getPrioritized()).map(({ id }) => id)
    expect(ids).toEqual([2, 4, 3, 5, 0, 1].map((seq) => `r1-s${seq}`))
  })

  it('counts jobs that somebody added without a priority among those that wait', async () => {
    await queue.bull.add('segment', job, { jobId: jobIdOf(job), priority: 0 })
    expect((await queue.counts()).waiting).toBe(1)
  })

  it('counts the jobs that wait also while somebody has paused it', async () => {
    await queue.add([job])
    await queue.bull.pause()
    expect((await queue.counts()).waiting).toBe(1)
  })

  it('gives jobs that the dashboard adds the same options', async () => {
    const { opts } = await queue.bull.add('by hand', job)
    expect(opts).toMatchObject({ attempts: 1, removeOnComplete: true, removeOnFail: true, priority: 1 })
  })

  it('is one queue for all who open it', async () => {
    const other = await openSegmentQueue({ ...backend, name, log })
    try {
      await other.add([job])
      expect((await queue.counts()).waiting).toBe(1)
    } finally {
      await other.close()
    }
  })

  it('keeps the jobs of other names apart', async () => {
    const other = await openSegmentQueue({ ...backend, name: `${name}-other`, log })
    try {
      await other.add([job])
      expect((await queue.counts()).waiting).toBe(0)
    } finally {
      await other.close()
    }
  })

  if (backendName === 'PostgreSQL') {
    it('is migrated by several at once, and again, and keeps its jobs', async () => {
      await queue.add([job])
      await Promise.all([1, 2, 3].map(() => migrateQueue(backend.databaseUrl)))
      expect((await queue.counts()).waiting).toBe(1)
    })

    it('takes a database URL that has options of its own', async () => {
      const url = new URL(backend.databaseUrl)
      url.searchParams.set('options', '-c statement_timeout=60000')
      const other = await openSegmentQueue({ databaseUrl: url.href, redisUrl: undefined, name, log })
      try {
        await other.add([job])
        expect((await queue.counts()).waiting).toBe(1)
      } finally {
        await other.close()
      }
    })
  }
})
