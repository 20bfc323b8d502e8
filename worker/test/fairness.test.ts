/** One user's flood of recordings and another user's single one, with a real queue and real workers, on both homes of the queue. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSegmentQueue, type SegmentQueue } from '@wavemill/core/queue'
import { dueSegments } from '@wavemill/prisma/reconcile'
import { createUser } from '@wavemill/prisma/users'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../../test/support/redis.ts'
import { missing } from '../../test/support/requirement.ts'
import { buildWav } from '../../test/support/wav.ts'
import { buildWorker, type TranscodingWorker } from '../src/worker.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'

/** The product promises it for 500; fewer show the same. */
const FLOOD = Number(process.env.FLOOD ?? 60)

const short = buildWav({ samples: 4_410 })
const threeSeconds = buildWav({ samples: 3 * 44_100 })

describe.each(['PostgreSQL', 'Redis'])('with the queue in %s', (home) => {
  let surroundings: Surroundings
  let redis: TestRedis | undefined
  let queue: SegmentQueue
  let workers: TranscodingWorker[]
  let name: string

  function addWorker(workerName: string): void {
    const { tools, databaseUrl } = surroundings
    const own = { databaseUrl, redisUrl: redis?.url, queue, queueName: name, concurrency: 2 }
    const worker = buildWorker({ ...tools, ...own, workerName, reconcileEveryMs: 600_000 })
    worker.start()
    workers.push(worker)
  }

  async function addJobs(keys: readonly bigint[]): Promise<void> {
    const due = await dueSegments(surroundings.db, undefined, 10_000)
    const own = due.filter(({ recordKey }) => keys.includes(recordKey))
    await queue.add(own.map((segment) => ({ ...segment, recordKey: segment.recordKey.toString() })))
  }

  async function upload(wav: Uint8Array, count: number, segmentSeconds = 300): Promise<bigint[]> {
    const userId = randomUUID()
    await createUser(surroundings.db, { id: userId, name: userId, tokenHash: Buffer.alloc(32) })
    const keys: bigint[] = []
    while (keys.length < count) {
      const batch = Array.from({ length: Math.min(10, count - keys.length) }, () =>
        surroundings.storeRecording([wav], { userId, segmentSeconds }),
      )
      keys.push(...(await Promise.all(batch)))
    }
    await addJobs(keys)
    return keys
  }

  const countReady = (keys: readonly bigint[]) =>
    surroundings.db.prisma.record.count({ where: { key: { in: [...keys] }, status: 'ready' } })

  describe.skipIf(home === 'Redis' && missing('redis-server'))('', () => {
    beforeAll(async () => {
      if (home === 'Redis') redis = await startRedis()
    })
    afterAll(() => redis?.stop())
    beforeEach(async () => {
      name = randomUUID()
      workers = []
      surroundings = await createSurroundings()
      const { databaseUrl, log } = surroundings
      queue = await openSegmentQueue({ databaseUrl, redisUrl: redis?.url, log, name })
    })
    afterEach(async () => {
      await Promise.all(workers.map((worker) => worker.close(5_000)))
      await queue.close()
      await surroundings.close()
    })

    test('a single recording is ready before 20 of the flood that waited have been finished', async () => {
      const flood = await upload(short, FLOOD)
      addWorker('a:1')
      addWorker('b:2')
      while ((await countReady(flood)) < 5) await sleep(10)
      const before = await countReady(flood)
      const [single = 0n] = await upload(threeSeconds, 1)
      expect(FLOOD - (await countReady(flood))).toBeGreaterThan(20)
      while ((await countReady([single])) === 0) await sleep(10)
      const meanwhile = (await countReady(flood)) - before
      console.log(`${home}: ${meanwhile} of ${FLOOD} were finished meanwhile`)
      expect(meanwhile).toBeLessThan(20)
    })

    test('a long recording takes turns with the short ones, segment by segment', async () => {
      const [long = 0n] = await upload(
        buildWav({ samples: 8_000 * 300, sampleRate: 8_000, channels: 1 }),
        1,
        10,
      )
      const { segmentsTotal } = await surroundings.stateOf(long)
      expect(segmentsTotal).toBe(30)
      const shorts = await upload(short, 3)
      addWorker('a:1')
      while ((await countReady(shorts)) < 3) await sleep(10)
      expect((await surroundings.stateOf(long)).segmentsDone).toBeLessThan(10)
    })
  })
})
