/** The worker as a real process: how it starts, how it ends, and what its death leaves to the others. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { noise } from '../../test/support/material.ts'
import { streamWav } from '../../test/support/wav.ts'
import { createScriptFolder, type ScriptFolder, untilGone } from './fake-ffmpeg.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'
import { createWorkerProcesses, end, type WorkerProcesses } from './support/worker-processes.ts'

const healthcheck = fileURLToPath(new URL('../src/healthcheck-main.ts', import.meta.url))

let surroundings: Surroundings
let folder: ScriptFolder
let processes: WorkerProcesses
beforeAll(async () => {
  ;[surroundings, folder] = await Promise.all([createSurroundings(), createScriptFolder()])
  processes = createWorkerProcesses(surroundings, folder.dir)
})
afterEach(() => processes.killAll())
afterAll(() => Promise.all([surroundings.close(), folder.remove()]))

async function outputOf(child: ChildProcess): Promise<string> {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data: Buffer) => {
      text += data.toString()
    })
  }
  await once(child, 'close')
  return text
}

async function untilItSays(child: ChildProcess, words: string): Promise<void> {
  let text = ''
  for await (const data of child.stdout ?? []) {
    text += String(data)
    if (text.includes(words)) return
  }
  throw new Error(`It ended without saying "${words}": ${text}`)
}

async function untilStatus(key: bigint, status: string): Promise<void> {
  while ((await surroundings.stateOf(key)).status !== status) await sleep(20)
}

function segmentOf(key: bigint) {
  return surroundings.db.prisma.segment.findFirstOrThrow({ where: { recordKey: key } })
}

const minute = { samples: 60 * 44_100, material: noise(0.5), loopSamples: 44_100 }

test('killed in the middle of a segment, its ffmpeg ends too, and another worker makes the recording ready', async () => {
  const FFMPEG_PATH = await folder.script(`
    case "$*" in *pipe:1*) echo $$ > "$DIR/victim";; esac
    ffmpeg "$@" | { head -c 1500000; sleep 2; cat; }`)
  const key = await surroundings.storeRecording(streamWav(minute))
  const victim = await processes.startWorker({ FFMPEG_PATH })
  const pid = await folder.numberIn('victim')
  while ((await surroundings.db.prisma.chunk.count()) === 0) await sleep(10)
  expect(await end(victim, 'SIGKILL')).toBe('SIGKILL')
  await untilGone(pid)
  const other = await processes.startWorker()
  await untilStatus(key, 'ready')
  expect(await segmentOf(key)).toMatchObject({ deaths: 1, errors: 0 })
  expect(await end(other, 'SIGTERM')).toBe(0)
})

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s in the middle: it hands the segment back and ends well',
  async (signal) => {
    const FFMPEG_PATH = await folder.script(`
    case "$*" in *pipe:1*) echo $$ > "$DIR/${signal}"; sleep 600;; *) exec ffmpeg "$@";; esac`)
    const key = await surroundings.storeRecording(streamWav({ samples: 44_100 }))
    const worker = await processes.startWorker({ FFMPEG_PATH })
    const pid = await folder.numberIn(signal)
    expect(await end(worker, signal)).toBe(0)
    await untilGone(pid)
    expect(await segmentOf(key)).toMatchObject({ takenAt: null, errors: 0, deaths: 0 })
    await surroundings.db.prisma.record.delete({ where: { key } })
  },
)

test('it ends well when the process that forked it is gone', async () => {
  const worker = await processes.startWorker()
  worker.disconnect()
  expect(await end(worker)).toBe(0)
})

test('the health check says yes while a worker runs, and no before and after', async () => {
  const TMPDIR = await mkdtemp(join(folder.dir, 'container-'))
  const check = () => end(processes.run(healthcheck, { TMPDIR }))
  expect(await check()).toBe(1)
  const worker = await processes.startWorker({ TMPDIR })
  while ((await check()) !== 0) await sleep(50)
  expect(await end(worker, 'SIGTERM')).toBe(0)
  expect(await check()).toBe(1)
})

test.each([
  ['a bad setting', { SEGMENT_ATTEMPTS: 'many' }, 'SEGMENT_ATTEMPTS must be'],
  ['no database', { DATABASE_URL: '' }, 'A worker needs DATABASE_URL'],
  ['no ffmpeg', { FFMPEG_PATH: '/nowhere/ffmpeg' }, 'ENOENT'],
])('with %s it says so and ends with 1', async (_, settings, said) => {
  const child = processes.runWorker(settings)
  expect(await outputOf(child)).toContain(said)
  expect(child.exitCode).toBe(1)
})

test('told to end while it still waits for the database, it ends well', async () => {
  const child = processes.runWorker({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' })
  await untilItSays(child, 'Waiting for the database')
  expect(await end(child, 'SIGTERM')).toBe(0)
})
