/** A recording that kills every worker that takes it: it fails after its attempts, and the others become ready. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { tones } from '../../test/support/material.ts'
import { streamWav } from '../../test/support/wav.ts'
import { createScriptFolder, type ScriptFolder } from './fake-ffmpeg.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'
import { createWorkerProcesses, type WorkerProcesses } from './support/worker-processes.ts'

vi.setConfig({ testTimeout: 180_000 })

let surroundings: Surroundings
let folder: ScriptFolder
let processes: WorkerProcesses
beforeAll(async () => {
  ;[surroundings, folder] = await Promise.all([createSurroundings(), createScriptFolder()])
  processes = createWorkerProcesses(surroundings, folder.dir)
})
afterAll(async () => {
  await processes.killAll()
  await Promise.all([surroundings.close(), folder.remove()])
})

const second = { samples: 44_100, material: tones() }
const statusOf = async (key: bigint) => (await surroundings.stateOf(key)).status

test('a recording that kills its workers fails in the end, and holds up no other', async () => {
  const deadly = await surroundings.storeRecording(streamWav(second))
  const others = await Promise.all([1, 2, 3].map(() => surroundings.storeRecording(streamWav(second))))
  const FFMPEG_PATH = await folder.script(
    `case "$*" in */${deadly}.wav*) kill -KILL $PPID; exit;; esac; exec ffmpeg "$@"`,
  )
  // It has died before; each time takes the lock's time.
  await surroundings.db.prisma.segment.updateMany({ where: { recordKey: deadly }, data: { deaths: 9 } })
  let deaths = 0
  while ((await statusOf(deadly)) !== 'failed') {
    const worker = processes.runWorker({ FFMPEG_PATH, SEGMENT_LOCK_SECONDS: '1' })
    const ended = once(worker, 'exit').then(() => 'died' as const)
    while ((await statusOf(deadly)) !== 'failed') {
      await surroundings.db.prisma.segment.updateMany({
        where: { recordKey: deadly },
        data: { nextTryAt: new Date() },
      })
      if ((await Promise.race([ended, sleep(50)])) !== 'died') continue
      deaths += 1
      break
    }
  }
  expect(deaths).toBe(1)
  expect(await surroundings.stateOf(deadly)).toMatchObject({ failureCode: 'workers-died' })
  for (const key of others) {
    while ((await statusOf(key)) !== 'ready') await sleep(50)
  }
})
