/** Two worker processes at one long recording: they share it, and the death of one costs only what it held. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openSegmentQueue } from '@wavemill/core/queue'
import { dueSegments } from '@wavemill/prisma/reconcile'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { noise } from '../../test/support/material.ts'
import { buildWav } from '../../test/support/wav.ts'
import { createScriptFolder, type ScriptFolder } from './fake-ffmpeg.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'
import { until } from './support/jobs.ts'
import { createWorkerProcesses, end, nameOf, type WorkerProcesses } from './support/worker-processes.ts'

let surroundings: Surroundings
let folder: ScriptFolder
let processes: WorkerProcesses
beforeAll(async () => {
  ;[surroundings, folder] = await Promise.all([createSurroundings(), createScriptFolder()])
  processes = createWorkerProcesses(surroundings, folder.dir)
})
afterEach(() => processes.killAll())
afterAll(() => Promise.all([surroundings.close(), folder.remove()]))

const SEGMENTS = 8
type Segment = Awaited<ReturnType<typeof segmentsOf>>[number]

function storeLongRecording(): Promise<bigint> {
  const wav = buildWav({ samples: SEGMENTS * 10 * 44_100, channels: 1, material: noise(0.3) })
  return surroundings.storeRecording([wav], { segmentSeconds: 10 })
}

/** As the upload does. */
async function addJobs(): Promise<void> {
  const { databaseUrl, db, log } = surroundings
  const queue = await openSegmentQueue({ databaseUrl, redisUrl: undefined, log })
  const due = await dueSegments(db, undefined, 100)
  await queue.add(due.map((segment) => ({ ...segment, recordKey: segment.recordKey.toString() })))
  await queue.close()
}

/** A worker whose ffmpeg is a script that does so for each segment; one segment at a time. */
async function startWorker(encode: string) {
  const FFMPEG_PATH = await folder.script(`
    case "$*" in *pipe:1*) ;; *) exec ffmpeg "$@";; esac
    ${encode}`)
  return await processes.startWorker({ FFMPEG_PATH, WORKER_CONCURRENCY: '1' })
}

async function untilReady(key: bigint): Promise<void> {
  await until(async () => (await surroundings.stateOf(key)).status === 'ready')
}

function segmentsOf(key: bigint) {
  return surroundings.db.prisma.segment.findMany({ where: { recordKey: key }, orderBy: { seq: 'asc' } })
}

/** Each begins only when the other has, so that neither is done with all before the other wakes. */
const meet = (own: string, other: string) =>
  `echo 1 > "$DIR/${own}"; until [ -e "$DIR/${other}" ]; do sleep 0.05; done`

test('two worker processes share a long recording, and the death of one costs only what it held', async () => {
  // Once it may be struck, it ends one more segment well, and stops in the middle of the next.
  const victim = await startWorker(`${meet('victim', 'other')}
    [ -e "$DIR/may-strike" ] || exec ffmpeg "$@"
    [ -e "$DIR/one-more" ] || { echo 1 > "$DIR/one-more"; exec ffmpeg "$@"; }
    echo $$ > "$DIR/stopped"
    ffmpeg "$@" | { head -c 20000; sleep 5; cat; }`)
  const other = await startWorker(`${meet('other', 'victim')}
    until [ ! -e "$DIR/may-strike" ] || [ -e "$DIR/stopped" ]; do sleep 0.05; done
    exec ffmpeg "$@"`)
  const undisturbed = await storeLongRecording()
  await addJobs()
  await untilReady(undisturbed)
  const shared = await segmentsOf(undisturbed)
  expect(shared).toHaveLength(SEGMENTS)
  expect(new Set(shared.map(({ worker }) => worker))).toEqual(new Set([victim, other].map(nameOf)))
  expect(shared.every(({ attempt }) => attempt === 1)).toBe(true)

  await writeFile(join(folder.dir, 'may-strike'), '')
  const struck = await storeLongRecording()
  await addJobs()
  await folder.numberIn('stopped')
  const isHeldByVictim = ({ worker, takenAt }: Segment) => worker === nameOf(victim) && takenAt !== null
  const [held, ...more] = (await segmentsOf(struck)).filter(isHeldByVictim)
  expect(more).toEqual([])
  expect(await end(victim, 'SIGKILL')).toBe('SIGKILL')
  await untilReady(struck)
  const segments = await segmentsOf(struck)
  const costly = segments.filter(({ attempt, deaths, errors }) => attempt !== 1 || deaths > 0 || errors > 0)
  const again = { seq: held?.seq, worker: nameOf(other), attempt: 2, deaths: 1, errors: 0 }
  expect(costly).toMatchObject([again])
  expect(segments.filter(({ worker }) => worker === nameOf(victim))).toHaveLength(1)
  expect((await surroundings.mp3Of(struck)).equals(await surroundings.mp3Of(undisturbed))).toBe(true)
})
