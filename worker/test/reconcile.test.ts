/** What the reconciler puts right after each kind of loss. */
import { randomUUID } from 'node:crypto'
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openSegmentQueue, type SegmentQueue } from '@wavemill/core/queue'
import { holdKey } from '@wavemill/prisma/idempotency-keys'
import { reserveRecordKey } from '@wavemill/prisma/insert-record'
import { withReconcilerLock } from '@wavemill/prisma/reconcile'
import { deleteRecord } from '@wavemill/prisma/records'
import { completeSegment } from '@wavemill/prisma/segments'
import { takeSegment } from '@wavemill/prisma/take-segment'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { encodeSegment } from '../src/encode-segment.ts'
import { type ReconcilerTools, reconcile } from '../src/reconcile.ts'
import { transcodeSegment } from '../src/transcode-segment.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'

let surroundings: Surroundings
let queue: SegmentQueue
let tools: ReconcilerTools
beforeAll(async () => {
  surroundings = await createSurroundings()
})
afterAll(() => surroundings.close())
beforeEach(async () => {
  const { databaseUrl, log } = surroundings
  queue = await openSegmentQueue({ databaseUrl, redisUrl: undefined, log, name: randomUUID() })
  tools = { ...surroundings.tools, databaseUrl, queue }
})
afterEach(() => queue.close())

const wav = buildWav()

function setSegment(recordKey: bigint, data: object) {
  return surroundings.db.prisma.segment.updateMany({ where: { recordKey }, data })
}
function setRecord(key: bigint, data: object) {
  return surroundings.db.prisma.record.update({ where: { key }, data })
}

describe('jobs', () => {
  test('a due segment without a job gets one, and one that has a job gets no second', async () => {
    await surroundings.storeRecording([wav])
    const before = (await queue.counts()).waiting
    await reconcile(tools)
    const { waiting } = await queue.counts()
    expect(waiting).toBeGreaterThan(before)
    await reconcile(tools)
    expect((await queue.counts()).waiting).toBe(waiting)
  })

  test('each has the round that its row was given, also after all were lost', async () => {
    const key = await surroundings.storeRecording([buildWav({ samples: 30 * 44_100 })], {
      segmentSeconds: 10,
    })
    const rounds = await surroundings.db.prisma.segment.findMany({
      where: { recordKey: key },
      orderBy: { seq: 'asc' },
    })
    for (const times of [1, 2]) {
      await reconcile(tools)
      const jobs = await queue.bull.getPrioritized()
      const own = jobs.filter(({ id }) => id?.startsWith(`r${key}-`))
      expect([times, ...own.map(({ id, opts }) => [id, opts.priority])]).toEqual([
        times,
        ...rounds.map(({ seq, round }) => [`r${key}-s${seq}`, round]),
      ])
      await queue.bull.drain()
    }
  })

  test('a segment that is put off gets its job when it is due, and a taken one, whose worker may be dead, gets one too', async () => {
    const key = await surroundings.storeRecording([wav])
    await reconcile(tools)
    const others = (await queue.counts()).waiting - 1
    await queue.remove([{ recordKey: key.toString(), seq: 0 }])
    await setSegment(key, { nextTryAt: new Date(Date.now() + 3_600_000) })
    await reconcile(tools)
    expect((await queue.counts()).waiting).toBe(others)
    await setSegment(key, { nextTryAt: new Date(0) })
    await takeSegment(surroundings.db, { recordKey: key, seq: 0, worker: 'dead:1' })
    await reconcile(tools)
    expect((await queue.counts()).waiting).toBe(others + 1)
  })
})

describe('records', () => {
  test('a full one is finished', async () => {
    const recordKey = await surroundings.storeRecording([wav])
    const segment = await takeSegment(surroundings.db, { recordKey, seq: 0, worker: 'killed:1' })
    if (segment === undefined) throw new Error('nothing to take')
    const bytes = await encodeSegment(tools, segment, new AbortController().signal)
    await completeSegment(surroundings.db, { ...segment, bytes })
    await reconcile(tools)
    expect((await surroundings.stateOf(recordKey)).status).toBe('ready')
  })

  test.each([
    ['attempts-exhausted', { errors: 3, failure: 'ffmpeg ended with exit code 1' }],
    ['workers-died', { deaths: 10 }],
  ])('one that is used up fails (%s), and its WAV goes', async (failureCode, used) => {
    const key = await surroundings.storeRecording([wav])
    await setSegment(key, used)
    await reconcile(tools)
    expect(await surroundings.stateOf(key)).toMatchObject({ status: 'failed', failureCode })
    expect(await surroundings.wavStore.size(key)).toBeUndefined()
  })

  test('one whose time is over expires, and is forgotten 30 days after that', async () => {
    const key = await surroundings.storeRecording([wav])
    await transcodeSegment(tools, { recordKey: key.toString(), seq: 0 }, new AbortController().signal)
    await setRecord(key, { expiresAt: new Date(Date.now() - 1_000) })
    await reconcile(tools)
    expect((await surroundings.stateOf(key)).status).toBe('expired')
    expect(await surroundings.mp3Of(key)).toHaveLength(0)
    await setRecord(key, { removedAt: new Date(Date.now() - 29 * 86_400_000) })
    await reconcile(tools)
    expect((await surroundings.stateOf(key)).status).toBe('expired')
    await setRecord(key, { removedAt: new Date(Date.now() - 31 * 86_400_000) })
    await reconcile(tools)
    await expect(surroundings.stateOf(key)).rejects.toThrow('is gone')
  })
})

describe('files of the WAV store', () => {
  async function fileOfAge(name: string, minutes: number): Promise<() => Promise<boolean>> {
    const path = join(surroundings.wavStore.dir, name)
    await writeFile(path, 'RIFF')
    const then = new Date(Date.now() - minutes * 60_000)
    await utimes(path, then, then)
    return async () => (await surroundings.wavStore.list()).some((file) => file.name === name)
  }

  test('a temporary one is removed after 2 minutes without a write, and not before', async () => {
    const [old, fresh] = [await fileOfAge('a.part', 3), await fileOfAge('b.part', 1)]
    await reconcile(tools)
    expect([await old(), await fresh()]).toEqual([false, true])
  })

  test('one without a row is removed after an hour, and not before', async () => {
    const keys = [await reserveRecordKey(tools.db), await reserveRecordKey(tools.db)]
    const [old, fresh] = [await fileOfAge(`${keys[0]}.wav`, 61), await fileOfAge(`${keys[1]}.wav`, 59)]
    await reconcile(tools)
    expect([await old(), await fresh()]).toEqual([false, true])
  })

  test('one whose record waits stays, however old it is', async () => {
    const key = await surroundings.storeRecording([wav])
    const waiting = await fileOfAge(`${key}.wav`, 10_000)
    await setSegment(key, { nextTryAt: new Date(Date.now() + 3_600_000) })
    await reconcile(tools)
    expect(await waiting()).toBe(true)
  })

  test('one whose record is deleted or done goes at once', async () => {
    const key = await surroundings.storeRecording([wav])
    await deleteRecord(tools.db, key)
    const left = await fileOfAge(`${key}.wav`, 0)
    await reconcile(tools)
    expect(await left()).toBe(false)
  })

  test('what is not ours is left alone', async () => {
    const foreign = await fileOfAge('README.txt', 10_000)
    await reconcile(tools)
    expect(await foreign()).toBe(true)
  })
})

test('an idempotency key that has expired is forgotten, and none before', async () => {
  const userId = randomUUID()
  const hold = (key: string, holdMs: number) =>
    holdKey(tools.db, { userId, key, uploadId: randomUUID() }, holdMs)
  await Promise.all([hold('lapsed', -1), hold('held', 60_000)])
  await reconcile(tools)
  const left = await tools.db.prisma.idempotencyKey.findMany({ where: { userId } })
  expect(left.map(({ key }) => key)).toEqual(['held'])
})

test('a step that fails does not stop the others', async () => {
  const key = await surroundings.storeRecording([wav])
  await setSegment(key, { deaths: 10 })
  await queue.close() // adding fails
  await reconcile(tools)
  expect((await surroundings.stateOf(key)).status).toBe('failed')
})

test('while another process is at it, nothing is done', async () => {
  const key = await surroundings.storeRecording([wav])
  await setSegment(key, { deaths: 10 })
  await withReconcilerLock(tools.databaseUrl, () => reconcile(tools))
  expect((await surroundings.stateOf(key)).status).toBe('queued')
  await reconcile(tools)
  expect((await surroundings.stateOf(key)).status).toBe('failed')
})
