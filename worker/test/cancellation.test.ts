/** A record deleted in the middle of its transcode: whichever worker is at it stops, and nothing is left. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSegmentQueue, type SegmentQueue } from '@wavemill/core/queue'
import { failRecord } from '@wavemill/prisma/fail-record'
import { deleteRecord } from '@wavemill/prisma/records'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { runOnServer } from '../../test/support/database-server.ts'
import { noise } from '../../test/support/material.ts'
import { startRedis, type TestRedis } from '../../test/support/redis.ts'
import { missing } from '../../test/support/requirement.ts'
import { buildWav, streamWav } from '../../test/support/wav.ts'
import { buildWorker, type TranscodingWorker } from '../src/worker.ts'
import { createScriptFolder, isAlive, type ScriptFolder, untilGone } from './fake-ffmpeg.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'

let surroundings: Surroundings
let folder: ScriptFolder
beforeAll(async () => {
  ;[surroundings, folder] = await Promise.all([createSurroundings(), createScriptFolder()])
})
afterAll(() => Promise.all([surroundings.close(), folder.remove()]))

const LISTENERS = `FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'wavemill cancellations'`

async function untilListeners(count: number): Promise<void> {
  const { pool } = surroundings.db
  while ((await pool.query(`SELECT ${LISTENERS}`)).rowCount !== count) await sleep(10)
}

/** Whether anybody may connect anew; who is connected stays so. */
async function allowConnections(isAllowed: boolean): Promise<void> {
  const database = new URL(surroundings.databaseUrl).pathname.slice(1)
  await runOnServer(
    inject('testServer').adminUrl,
    `ALTER DATABASE ${database} ALLOW_CONNECTIONS ${isAllowed}`,
  )
}

const tenMinutes = { samples: 600 * 44_100, material: noise(0.5), loopSamples: 44_100 }

const endings = {
  'is deleted': (key: bigint) => deleteRecord(surroundings.db, key),
  'fails by another segment': (recordKey: bigint) =>
    failRecord(surroundings.db, { recordKey, code: 'undecodable', detail: '' }),
}

describe.each(['PostgreSQL', 'Redis'])('with the queue in %s', (home) => {
  let redis: TestRedis | undefined
  let queue: SegmentQueue
  let workers: TranscodingWorker[]
  let name: string

  function addWorker(ffmpegPath: string): void {
    const { tools, databaseUrl } = surroundings
    const own = { databaseUrl, redisUrl: redis?.url, queue, queueName: name, concurrency: 1 }
    const never = 600_000
    const worker = buildWorker({
      ...{ ...tools, ...own, ffmpegPath },
      ...{ stallLimitMs: never, reconcileEveryMs: never }, // nothing else ends an ffmpeg that gives nothing
    })
    worker.start()
    workers.push(worker)
  }

  async function addJob(key: bigint): Promise<void> {
    await queue.add([{ recordKey: key.toString(), seq: 0 }])
  }

  /** Starts a worker whose ffmpeg gives nothing. */
  async function startHanging(): Promise<{ key: bigint; pid: number }> {
    addWorker(await folder.script(`echo $$ > "$DIR/hangs-${name}"; sleep 600`))
    const key = await surroundings.storeRecording([buildWav()])
    await addJob(key)
    return { key, pid: await folder.numberIn(`hangs-${name}`) }
  }

  async function untilNothingIsLeft(key: bigint): Promise<void> {
    for (;;) {
      const { active, waiting } = await queue.counts()
      if (active + waiting === 0) break
      await sleep(20)
    }
    const where = { where: { recordKey: key } }
    expect(await surroundings.db.prisma.chunk.count(where)).toBe(0)
    expect(await surroundings.db.prisma.segment.count(where)).toBe(0)
  }

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

    test('a long recording that is deleted in the middle leaves no ffmpeg, no chunk, no file and no job', async () => {
      const ffmpegPath = await folder.script(`echo $$ > "$DIR/runs-${name}"; exec ffmpeg "$@"`)
      const key = await surroundings.storeRecording(streamWav(tenMinutes), { segmentSeconds: 86_400 })
      addWorker(ffmpegPath)
      addWorker(ffmpegPath)
      await addJob(key)
      const pid = await folder.numberIn(`runs-${name}`)
      while ((await surroundings.db.prisma.chunk.count({ where: { recordKey: key } })) < 2) await sleep(10)
      expect(await deleteRecord(surroundings.db, key)).toBe(true)
      await surroundings.wavStore.remove(key)
      await untilGone(pid)
      await untilNothingIsLeft(key)
      expect(await surroundings.wavStore.list()).toEqual([])
      expect((await surroundings.stateOf(key)).status).toBe('deleted')
    })

    test.each(Object.entries(endings))(
      'an ffmpeg that gives nothing is ended too when its record %s',
      async (_, end) => {
        const other = await surroundings.storeRecording([buildWav()])
        const { key, pid } = await startHanging()
        expect(await deleteRecord(surroundings.db, other)).toBe(true)
        expect(await end(key)).toBe(true)
        await untilGone(pid)
        await untilNothingIsLeft(key)
      },
    )

    test('a deletion while the connection that listens is broken is found when it is made again', async () => {
      const { key, pid } = await startHanging()
      await untilListeners(1)
      await allowConnections(false)
      await surroundings.db.pool.query(`SELECT pg_terminate_backend(pid) ${LISTENERS}`)
      await untilListeners(0)
      expect(await deleteRecord(surroundings.db, key)).toBe(true)
      expect(await isAlive(pid)).toBe(true)
      await allowConnections(true)
      await untilGone(pid)
      await untilNothingIsLeft(key)
    })
  })
})
