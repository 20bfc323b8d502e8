/** A worker with a real queue: from waiting rows to ready recordings, on both homes of the queue. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSegmentQueue, type SegmentQueue } from '@wavemill/core/queue'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../../test/support/redis.ts'
import { missing } from '../../test/support/requirement.ts'
import { buildWav } from '../../test/support/wav.ts'
import { buildWorker, type TranscodingWorker, type WorkerOptions } from '../src/worker.ts'
import { createScriptFolder, isAlive, type ScriptFolder, untilGone } from './fake-ffmpeg.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'

let surroundings: Surroundings
let folder: ScriptFolder
beforeAll(async () => {
  ;[surroundings, folder] = await Promise.all([createSurroundings(), createScriptFolder()])
})
afterAll(() => Promise.all([surroundings.close(), folder.remove()]))

const wav = buildWav({ samples: 20_000 })

async function untilStatus(key: bigint, status: string): Promise<void> {
  while ((await surroundings.stateOf(key)).status !== status) await sleep(20)
}

async function flushAll(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1').end('FLUSHALL\r\n')
  const [answer] = await once(socket.setEncoding('utf8'), 'data')
  expect(answer).toBe('+OK\r\n')
}

function segmentOf(key: bigint) {
  return surroundings.db.prisma.segment.findFirstOrThrow({ where: { recordKey: key } })
}

describe.each(['PostgreSQL', 'Redis'])('with the queue in %s', (home) => {
  let redis: TestRedis | undefined
  let queue: SegmentQueue
  let workers: TranscodingWorker[]
  let name: string

  function addWorker(changes: Partial<WorkerOptions> = {}): TranscodingWorker {
    const { tools, databaseUrl } = surroundings
    const redisUrl = redis?.url
    const own = { databaseUrl, redisUrl, queue, queueName: name, concurrency: 2, reconcileEveryMs: 300 }
    const worker = buildWorker({ ...tools, ...own, ...changes })
    worker.start()
    workers.push(worker)
    return worker
  }
  const addJob = (key: bigint) => queue.add([{ recordKey: key.toString(), seq: 0 }])

  describe.skipIf(home === 'Redis' && missing('redis-server'))('', () => {
    beforeAll(async () => {
      if (home === 'Redis') redis = await startRedis()
    })
    afterAll(() => redis?.stop())
    beforeEach(async () => {
      name = randomUUID()
      workers = []
      const { databaseUrl, log } = surroundings
      queue = await openSegmentQueue({ databaseUrl, redisUrl: redis?.url, log, name })
    })
    afterEach(async () => {
      await Promise.all(workers.map((worker) => worker.close(5_000)))
      await queue.close()
    })

    test('jobs that were added become ready recordings, by whichever worker', async () => {
      const keys = await Promise.all(Array.from({ length: 6 }, () => surroundings.storeRecording([wav])))
      addWorker({ workerName: 'a:1', reconcileEveryMs: 60_000 })
      addWorker({ workerName: 'b:2', reconcileEveryMs: 60_000 })
      await Promise.all(keys.map(addJob))
      await Promise.all(keys.map((key) => untilStatus(key, 'ready')))
    })

    test('recordings whose jobs were never added, or lost, are found', async () => {
      const keys = [await surroundings.storeRecording([wav]), await surroundings.storeRecording([wav])]
      addWorker()
      await Promise.all(keys.map((key) => untilStatus(key, 'ready')))
    })

    if (home === 'Redis') {
      test('a Redis that forgets everything, also the job at work, loses no recording', async () => {
        const ffmpegPath = await folder.script(`echo $$ > "$DIR/slow-${name}"; sleep 0.5; exec ffmpeg "$@"`)
        const keys = await Promise.all(Array.from({ length: 4 }, () => surroundings.storeRecording([wav])))
        await Promise.all(keys.map(addJob))
        addWorker({ ffmpegPath, concurrency: 1 })
        await folder.numberIn(`slow-${name}`)
        await flushAll(redis?.port ?? 0)
        await Promise.all(keys.map((key) => untilStatus(key, 'ready')))
      })
    }

    test('an attempt that failed is made again in good time, and succeeds', async () => {
      const ffmpegPath = await folder.script(
        `[ -e "$DIR/${name}" ] && exec ffmpeg "$@"; echo 1 > "$DIR/${name}"; exit 1`,
      )
      const key = await surroundings.storeRecording([wav])
      addWorker({ ffmpegPath, reconcileEveryMs: 600_000 })
      await addJob(key)
      await untilStatus(key, 'ready')
    })

    test('a worker that is closed hands back what it works on, kills its ffmpeg, and another makes it ready', async () => {
      const ffmpegPath = await folder.script(`echo $$ > "$DIR/hangs-${name}"; sleep 600`)
      const key = await surroundings.storeRecording([wav])
      const hanging = addWorker({ ffmpegPath, workerName: 'hanging:1' })
      await addJob(key)
      const pid = await folder.numberIn(`hangs-${name}`)
      expect(await isAlive(pid)).toBe(true)
      await hanging.close(2_000)
      await untilGone(pid)
      expect(await segmentOf(key)).toMatchObject({ takenAt: null, errors: 0, deaths: 0 })
      addWorker({ workerName: 'other:1' })
      await untilStatus(key, 'ready')
      expect(await segmentOf(key)).toMatchObject({ attempt: 2, deaths: 0, worker: 'other:1' })
    })
  })
})
