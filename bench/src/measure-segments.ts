/** Measures a recording of 60 minutes against plain ffmpeg: on its segments, by xargs, and on the whole; and their CPU time. */
import { createWriteStream } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { awaitReady, uploadRecording } from './client.ts'
import { cpuSecondsOf, cpuSecondsOfChildren } from './cpu-time.ts'
import type { Effort } from './effort.ts'
import { type Figure, median, withUnit } from './figures.ts'
import { type Recording, recordingOf } from './material.ts'
import { flushDisk, runFfmpeg, timePlainFfmpeg, timeXargsFfmpeg } from './plain-tools.ts'
import { type IdleService, withService } from './rivals.ts'
import type { Workplace } from './workplace.ts'

const MINUTES = 60
const SEGMENT_SECONDS = 300

interface Round {
  readonly plainMs: number
  readonly plainCpuSeconds: number
  readonly xargsMs: number
  readonly serviceMs: number
  readonly apiCpuSeconds: number
  readonly workerCpuSeconds: number
  readonly ffmpegCpuSeconds: number
  /** Of these three and of what started them; the database's is left out. */
  readonly serviceCpuSeconds: number
}

export async function measureSegments(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const minutes = MINUTES * effort.share
  const segmentSeconds = SEGMENT_SECONDS * effort.share
  const recording = recordingOf({ seconds: minutes * 60 })
  const wavPath = join(workplace.folder, 'whole.wav')
  await pipeline(Readable.from(recording.stream()), createWriteStream(wavPath))
  const segmentPaths = await cut(wavPath, segmentSeconds, join(workplace.folder, 'segments'))

  const settings = { SEGMENT_SECONDS: String(segmentSeconds) }
  return withService(workplace, settings, async (idle) => {
    const rounds: Round[] = []
    const count = effort.rounds ?? 3
    for (let round = 1; round <= count; round += 1) {
      workplace.tell(`${minutes} minutes in segments, round ${round} of ${count}`)
      rounds.push({
        ...(await encodeWhole(wavPath)),
        xargsMs: await encodeSegments(segmentPaths, workplace),
        ...(await transcodeByService(idle, recording)),
      })
    }
    return figuresOf(minutes, rounds)
  })
}

/** The segments as files of their own: what somebody would encode in parallel who does not mind the seams. */
async function cut(wavPath: string, seconds: number, folder: string): Promise<string[]> {
  await mkdir(folder)
  const options = ['-f', 'segment', '-segment_time', String(seconds), '-codec', 'copy']
  await runFfmpeg(['-i', wavPath, ...options, join(folder, '%03d.wav')])
  return (await readdir(folder)).toSorted().map((name) => join(folder, name))
}

async function encodeWhole(wavPath: string): Promise<Pick<Round, 'plainMs' | 'plainCpuSeconds'>> {
  await flushDisk()
  let plainMs = 0
  const plainCpuSeconds = await cpuSecondsOfChildren(async () => {
    plainMs = await timePlainFfmpeg(wavPath, `${wavPath}.mp3`)
  })
  return { plainMs, plainCpuSeconds }
}

async function encodeSegments(segmentPaths: readonly string[], { folder }: Workplace): Promise<number> {
  await flushDisk()
  return timeXargsFfmpeg(segmentPaths, folder, ['-reservoir', '0'])
}

/** The time from accepted to ready, and the CPU time from the upload's first byte on. */
async function transcodeByService(
  idle: IdleService,
  recording: Recording,
): Promise<Omit<Round, 'plainMs' | 'plainCpuSeconds' | 'xargsMs'>> {
  await flushDisk()
  const before = await readCpuTimes(idle)
  const link = await uploadRecording(idle.service.baseUrl, idle.user, recording)
  const acceptedAt = performance.now()
  await awaitReady(link, idle.agent)
  const serviceMs = performance.now() - acceptedAt
  const after = await readCpuTimes(idle)
  const [apiCpuSeconds, workerCpuSeconds, ffmpegCpuSeconds] = [
    after.api.own - before.api.own,
    after.worker.own - before.worker.own,
    after.worker.ofChildren - before.worker.ofChildren,
  ]
  const supervisorCpuSeconds = after.supervisor.own - before.supervisor.own
  const serviceCpuSeconds = apiCpuSeconds + workerCpuSeconds + ffmpegCpuSeconds + supervisorCpuSeconds
  return { serviceMs, apiCpuSeconds, workerCpuSeconds, ffmpegCpuSeconds, serviceCpuSeconds }
}

async function readCpuTimes({ service, apiPid, workerPid }: IdleService) {
  return {
    supervisor: await cpuSecondsOf(service.pid),
    api: await cpuSecondsOf(apiPid),
    worker: await cpuSecondsOf(workerPid),
  }
}

function figuresOf(minutes: number, rounds: readonly Round[]): Figure[] {
  const middle = (of: keyof Round) => median(rounds.map((round) => round[of]))
  const took = (of: 'plainMs' | 'xargsMs' | 'serviceMs') => withUnit(middle(of) / 1000, 's')
  const cpu = (of: Exclude<keyof Round, 'plainMs' | 'xargsMs' | 'serviceMs'>) => withUnit(middle(of), 's')
  const shares = `ffmpeg ${cpu('ffmpegCpuSeconds')}, worker ${cpu('workerCpuSeconds')}, API ${cpu('apiCpuSeconds')}`
  return [
    {
      what: `${minutes} minutes: accepted -> ready`,
      detail: `${took('serviceMs')} against ${took('xargsMs')} of xargs ffmpeg on the segments`,
      value: middle('serviceMs') / middle('xargsMs'),
      unit: 'x',
      bar: 1.15,
    },
    {
      what: `${minutes} minutes: accepted -> ready`,
      detail: `${took('serviceMs')} against ${took('plainMs')} of one plain ffmpeg`,
      value: middle('serviceMs') / middle('plainMs'),
      unit: 'x',
    },
    {
      what: `${minutes} minutes: CPU time without the database's`,
      detail: `${cpu('serviceCpuSeconds')} (${shares}) against ${cpu('plainCpuSeconds')} of one plain ffmpeg`,
      value: middle('serviceCpuSeconds') / middle('plainCpuSeconds'),
      unit: 'x',
      bar: 1.2,
    },
  ]
}
