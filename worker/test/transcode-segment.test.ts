/** One job from its taking to its end, and every way in which it can go wrong. */
import { rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WavStore } from '@wavemill/core/wav-store'
import { openDatabase } from '@wavemill/prisma/database'
import { deleteRecord } from '@wavemill/prisma/records'
import { takeSegment } from '@wavemill/prisma/take-segment'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startProxy } from '../../test/support/cuttable-proxy.ts'
import { mpg123SampleCount } from '../../test/support/judges.ts'
import { noise } from '../../test/support/material.ts'
import { buildWav, streamWav } from '../../test/support/wav.ts'
import { JobStopped, type StopReason } from '../src/job-stopped.ts'
import { transcodeSegment } from '../src/transcode-segment.ts'
import type { WorkerTools } from '../src/worker-tools.ts'
import { createScriptFolder, type ScriptFolder, untilGone } from './fake-ffmpeg.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'

let surroundings: Surroundings
let folder: ScriptFolder
beforeAll(async () => {
  ;[surroundings, folder] = await Promise.all([createSurroundings(), createScriptFolder()])
})
afterAll(() => Promise.all([surroundings.close(), folder.remove()]))

const short = buildWav({ samples: 44_100 })

function work(key: bigint, changes: Partial<WorkerTools> = {}, signal = new AbortController().signal) {
  return transcodeSegment(
    { ...surroundings.tools, ...changes },
    { recordKey: key.toString(), seq: 0 },
    signal,
  )
}

async function segmentOf(key: bigint) {
  return await surroundings.db.prisma.segment.findFirstOrThrow({ where: { recordKey: key } })
}

/** Makes the segment due now, whatever its backoff says. */
async function makeDue(key: bigint): Promise<void> {
  await surroundings.db.prisma.segment.updateMany({
    where: { recordKey: key },
    data: { nextTryAt: new Date(0) },
  })
}

function chunkCount(key: bigint): Promise<number> {
  return surroundings.db.prisma.chunk.count({ where: { recordKey: key } })
}

test('a job makes the recording ready, names its worker, and removes the WAV', async () => {
  const key = await surroundings.storeRecording([short])
  await work(key)
  const state = await surroundings.stateOf(key)
  expect(state).toMatchObject({ status: 'ready', segmentsDone: 1, progress: 1 })
  const mp3 = await surroundings.mp3Of(key)
  expect(Number(state.mp3Size)).toBe(mp3.byteLength)
  expect(await surroundings.wavStore.size(key)).toBeUndefined()
  expect(await segmentOf(key)).toMatchObject({
    worker: 'test:1',
    attempt: 1,
    errors: 0,
    deaths: 0,
    takenAt: null,
  })
})

test('a job that comes again after that changes nothing', async () => {
  const key = await surroundings.storeRecording([short])
  await work(key)
  const before = await surroundings.stateOf(key)
  await work(key)
  expect(await surroundings.stateOf(key)).toEqual(before)
})

test('a job of a record that never was does nothing', async () => {
  expect(await work(999_999_999n)).toBeUndefined()
})

describe('an ffmpeg that fails', () => {
  test('refuses the audio: the recording fails at once, with what ffmpeg said, and its WAV goes', async () => {
    const ffmpegPath = await folder.script('echo "Invalid data found when processing input" >&2; exit 1')
    const key = await surroundings.storeRecording([short])
    expect(await work(key, { ffmpegPath })).toBeUndefined()
    expect(await surroundings.stateOf(key)).toMatchObject({
      ...{ status: 'failed', failureCode: 'undecodable' },
      failureDetail: 'ffmpeg ended with exit code 1: Invalid data found when processing input',
    })
    expect(await surroundings.wavStore.size(key)).toBeUndefined()
  })

  test.each([
    ['fails without a word', 'head -c 1000 > /dev/null; exit 1', 'exit code 1'],
    ['crashes', 'kill -SEGV $$', 'SIGSEGV'],
    [
      'writes junk',
      'head -c 1000 > /dev/null; head -c 300000 /dev/zero',
      'something else than whole MP3 frames',
    ],
  ])(
    '%s: it is tried again after 1, then 4 s, and fails for good at the third error',
    async (_, body, said) => {
      const ffmpegPath = await folder.script(body)
      const key = await surroundings.storeRecording([short])
      for (const [errors, retryInMs] of [
        [1, 1_000],
        [2, 4_000],
      ] as const) {
        expect(await work(key, { ffmpegPath })).toBe(retryInMs)
        const segment = await segmentOf(key)
        expect(segment).toMatchObject({ errors, deaths: 0, takenAt: null })
        expect(segment.failure).toContain(said)
        expect(await work(key)).toBeUndefined() // not due yet
        await makeDue(key)
      }
      expect(await work(key, { ffmpegPath })).toBeUndefined()
      const state = await surroundings.stateOf(key)
      expect(state).toMatchObject({ status: 'failed', failureCode: 'attempts-exhausted' })
      expect(state.failureDetail).toContain(said)
      expect(await chunkCount(key)).toBe(0)
      expect(await surroundings.wavStore.size(key)).toBeUndefined()
    },
  )

  test('ends well with too few frames: wrong-length, at once', async () => {
    const ffmpegPath = await folder.script(
      'cat > /dev/null; ffmpeg -v error -f lavfi -i sine=d=0.1 -write_xing 0 -id3v2_version 0 -f mp3 -',
    )
    const key = await surroundings.storeRecording([short])
    await work(key, { ffmpegPath })
    expect(await surroundings.stateOf(key)).toMatchObject({ status: 'failed', failureCode: 'wrong-length' })
  })

  test('hangs: it is killed, and tried again', async () => {
    const ffmpegPath = await folder.script('echo $$ > "$DIR/hung"; sleep 600')
    const key = await surroundings.storeRecording([short])
    expect(await work(key, { ffmpegPath, stallLimitMs: 200 })).toBe(1_000)
    await untilGone(await folder.numberIn('hung'))
    expect((await segmentOf(key)).failure).toContain('no progress')
  })

  test('is killed from outside, or cannot be started, more often than SEGMENT_ATTEMPTS: the recording still becomes ready', async () => {
    const killed = await folder.script('head -c 1000 > /dev/null; kill -KILL $$')
    const key = await surroundings.storeRecording([short])
    const retries: unknown[] = []
    for (const ffmpegPath of [killed, '/nowhere/ffmpeg', killed, '/nowhere/ffmpeg']) {
      retries.push(await work(key, { ffmpegPath }))
      await makeDue(key)
    }
    expect(retries).toEqual([1_000, 4_000, 16_000, 16_000])
    expect(await segmentOf(key)).toMatchObject({ errors: 0, deaths: 4 })
    await work(key)
    expect((await surroundings.stateOf(key)).status).toBe('ready')
  })
})

describe('the WAV', () => {
  test('is gone: source-lost, at once', async () => {
    const key = await surroundings.storeRecording([short])
    await rm(join(surroundings.wavStore.dir, `${key}.wav`))
    await work(key)
    expect(await surroundings.stateOf(key)).toMatchObject({ status: 'failed', failureCode: 'source-lost' })
  })

  test('is shorter than it was: source-lost, at once', async () => {
    const key = await surroundings.storeRecording([short])
    await truncate(join(surroundings.wavStore.dir, `${key}.wav`), short.byteLength - 10_000)
    await work(key)
    expect(await surroundings.stateOf(key)).toMatchObject({
      ...{ status: 'failed', failureCode: 'source-lost' },
      failureDetail: 'the stored WAV ends 10000 bytes too early',
    })
  })
})

describe('in the middle of a recording of more than one chunk', () => {
  const minute = { samples: 60 * 44_100, material: noise(0.5), loopSamples: 44_100 }
  const hold = () => writeFile(join(folder.dir, 'hold'), '')
  const release = () => rm(join(folder.dir, 'hold'), { force: true })

  /** Starts a job whose ffmpeg stops half-way, and resolves once its first chunk is written. */
  async function startHalf(signal?: AbortSignal) {
    await hold()
    const ffmpegPath = await folder.script(`
      echo $$ > "$DIR/half"
      ffmpeg "$@" | { head -c 1500000; sleep 0.6; head -c 100000; while [ -e "$DIR/hold" ]; do sleep 0.02; done; cat; }`)
    const key = await surroundings.storeRecording(streamWav(minute))
    const done = work(key, { ffmpegPath }, signal)
    while ((await chunkCount(key)) === 0) await sleep(10)
    return { key, done, pid: await folder.numberIn('half') }
  }

  test('the record says how far it has come, and the segment who is at it', async () => {
    const { key, done } = await startHalf()
    while ((await surroundings.stateOf(key)).progress <= 0.5) await sleep(20) // or the test's time is over
    const { status, progress } = await surroundings.stateOf(key)
    expect(status).toBe('processing')
    expect(progress).toBeLessThan(1)
    expect(await segmentOf(key)).toMatchObject({ worker: 'test:1', takenAt: expect.any(Date), doneAt: null })
    await release()
    await done
  })

  test('while the database is silent nothing is read ahead without bound, and it goes on when it answers', async () => {
    const proxy = await startProxy(surroundings.databaseUrl)
    const db = openDatabase({ url: proxy.url, applicationName: 'worker test', log: surroundings.log })
    const { wavStore } = surroundings
    let bytesRead = 0
    const countingStore: WavStore = {
      ...wavStore,
      openRange: (...range) =>
        wavStore.openRange(...range).on('data', (bytes) => {
          bytesRead += bytes.length
        }),
    }
    // Floats go through this process: what ffmpeg reads by itself is bounded by the pipe that it writes to.
    const ten = { ...minute, samples: 600 * 44_100, encoding: 'f32' } as const
    const key = await surroundings.storeRecording(streamWav(ten), { segmentSeconds: Infinity })
    const done = work(key, { db, wavStore: countingStore })
    while ((await chunkCount(key)) < 3) await sleep(10)
    proxy.silence()
    let before = -1
    while (before !== bytesRead) {
      before = bytesRead
      await sleep(500)
    }
    expect(bytesRead).toBeLessThan(0.6 * 600 * 352_800)
    await proxy.restore()
    await done
    expect((await surroundings.stateOf(key)).status).toBe('ready')
    expect(await mpg123SampleCount(await surroundings.mp3Of(key))).toBe(ten.samples)
    await db.close()
    await proxy.stop()
  })

  test('the record is deleted: the job ends without a word and leaves no chunk', async () => {
    const { key, done } = await startHalf()
    await deleteRecord(surroundings.db, key)
    await release()
    expect(await done).toBeUndefined()
    expect((await surroundings.stateOf(key)).status).toBe('deleted')
    expect(await chunkCount(key)).toBe(0)
  })

  test('a rival takes the segment: the first ends without a word, the second makes it ready', async () => {
    const { key, done } = await startHalf()
    const rival = work(key, { workerName: 'rival:1' })
    await release()
    expect(await done).toBeUndefined()
    expect(await rival).toBeUndefined()
    expect((await surroundings.stateOf(key)).status).toBe('ready')
    expect(await segmentOf(key)).toMatchObject({ attempt: 2, worker: 'rival:1' })
    expect(await mpg123SampleCount(await surroundings.mp3Of(key))).toBe(minute.samples)
  })

  test.each([
    ['shutdown', null],
    ['cancelled', 'taken'],
    ['lock-lost', 'taken'],
  ] as const)(
    'the job is told to stop (%s): ffmpeg is gone, and nothing is counted as an error',
    async (reason: StopReason, taken) => {
      const stop = new AbortController()
      const { key, done } = await startHalf(stop.signal)
      stop.abort(new JobStopped(reason))
      expect(await done).toBeUndefined()
      const segment = await segmentOf(key)
      expect(segment).toMatchObject({ errors: 0, deaths: 0, doneAt: null })
      expect(segment.takenAt === null ? null : 'taken').toBe(taken)
      await release()
      await work(key)
      expect((await surroundings.stateOf(key)).status).toBe('ready')
      expect((await segmentOf(key)).deaths).toBe(taken === null ? 0 : 1)
    },
  )

  test('the database goes away and comes back: the segment is handed back and counts as nothing', async () => {
    const proxy = await startProxy(surroundings.databaseUrl)
    const db = openDatabase({ url: proxy.url, applicationName: 'worker test', log: surroundings.log })
    const key = await surroundings.storeRecording(streamWav(minute))
    await hold()
    const ffmpegPath = await folder.script(`
      echo $$ > "$DIR/before"; while [ -e "$DIR/hold" ]; do sleep 0.02; done; exec ffmpeg "$@"`)
    const done = work(key, { db, ffmpegPath })
    await folder.numberIn('before')
    await proxy.cut()
    await release()
    await sleep(1_500)
    await proxy.restore()
    expect(await done).toBe(0)
    expect(await segmentOf(key)).toMatchObject({ errors: 0, deaths: 0, takenAt: null, doneAt: null })
    await db.close()
    await proxy.stop()
  })
})

test('taking it is enough to be counted as a death, where the process never says how it ended', async () => {
  const key = await surroundings.storeRecording([short])
  await takeSegment(surroundings.db, { recordKey: key, seq: 0, worker: 'dead:1' })
  await work(key)
  expect(await segmentOf(key)).toMatchObject({ attempt: 2, deaths: 1, errors: 0 })
})
