/** Measures a recording of 6 GB and one of 60 minutes: the most memory of API and worker, and that no sample is lost. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { downloadTo, uploadRecording, waitUntilReady } from './client.ts'
import type { Effort } from './effort.ts'
import { type Figure, withUnit } from './figures.ts'
import { longFloat, type Recording, recordingOf } from './material.ts'
import { residentMb, watchPeakMb } from './processes.ts'
import { type IdleService, withService } from './rivals.ts'
import { settle } from './settle.ts'
import type { Workplace } from './workplace.ts'

const GIB = 1024 ** 3
const HUGE_BYTES = 6 * GIB
/** For the MP3 in the database and its log, the downloaded copy, and what the service wants to stay free. */
const ROOM_BYTES = 3 * GIB
const SAMPLE_BYTES = longFloat.channels * longFloat.bytesPerSample
const BAR_MB = 80

/** Each recording has a service of its own, so that the memory of one is no memory of the other. */
export async function measureHuge(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const audioBytes = Math.round((HUGE_BYTES * effort.share) / SAMPLE_BYTES) * SAMPLE_BYTES
  await requireFreeDisk(workplace.folder, audioBytes + ROOM_BYTES)
  const settings = { MAX_UPLOAD_MB: String(Math.ceil(audioBytes / 1024 ** 2) + 1024) }

  const minutes = 60 * effort.share
  const hour = recordingOf({ seconds: minutes * 60 })
  const hourName = `${minutes} minutes`
  workplace.tell(`${hourName}, memory`)
  const ofHour = await withService(workplace, settings, (idle) => transcode(idle, hour))

  const huge = recordingOf({ audioBytes }, 'music', longFloat)
  const hugeName = `RF64 of ${withUnit(audioBytes / GIB, 'GB')}, ${withUnit(huge.seconds / 3600, 'h')}`
  workplace.tell(`${hugeName}, memory`)
  return withService(workplace, settings, async (idle) => {
    const ofHuge = await transcode(idle, huge)
    workplace.tell(`${hugeName}, decoded by mpg123`)
    const mp3Path = join(workplace.folder, 'huge.mp3')
    await downloadTo(mp3Path, ofHuge.link)
    const samples = await countSamples(mp3Path)
    return [
      ...memoryFigures(hourName, ofHour),
      ...memoryFigures(hugeName, ofHuge),
      readyFigure(hugeName, ofHuge.tookMs, huge.seconds),
      samplesFigure(hugeName, samples, audioBytes / SAMPLE_BYTES),
    ]
  })
}

interface Transcoded {
  readonly link: string
  /** From the first byte of the upload to ready. */
  readonly tookMs: number
  readonly api: Memory
  readonly worker: Memory
}

interface Memory {
  readonly idleMb: number
  readonly peakMb: number
}

async function transcode(idle: IdleService, recording: Recording): Promise<Transcoded> {
  await settle(idle)
  const api = await followMemory(idle.apiPid)
  const worker = await followMemory(idle.workerPid)
  const startedAt = performance.now()
  const link = await uploadRecording(idle.service.baseUrl, idle.user, recording)
  await waitUntilReady(link, idle.agent, 200)
  const tookMs = performance.now() - startedAt
  return { link, tookMs, api: await api.stop(), worker: await worker.stop() }
}

async function followMemory(pid: number): Promise<{ stop(): Promise<Memory> }> {
  const idleMb = await residentMb(pid)
  const peak = await watchPeakMb(pid)
  return { stop: async () => ({ idleMb, peakMb: await peak.stop() }) }
}

async function requireFreeDisk(folder: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize >= neededBytes) return
  const [needed, free] = [neededBytes, bavail * bsize].map((bytes) => withUnit(bytes / GIB, 'GB'))
  throw new Error(`This part needs ${needed} of free disk, and there are ${free}`)
}

/** Samples of one channel that mpg123 decodes, delay and padding dropped as the Info frame says. */
async function countSamples(mp3Path: string): Promise<number> {
  const decode = ['-q', '--gapless', '--mono', '-e', 's16', '-s', mp3Path]
  const child = spawn('mpg123', decode, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  let bytes = 0
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  const [code] = await ended
  if (code !== 0) throw new Error(`mpg123 ended with ${code}`)
  return bytes / 2
}

function memoryFigures(name: string, { api, worker }: Transcoded): Figure[] {
  const rows = [
    ['the API', api],
    ['the worker', worker],
  ] as const
  return rows.map(([process, { idleMb, peakMb }]) => ({
    what: `${name}: memory of ${process} over idle`,
    detail: `peak ${withUnit(peakMb, 'MB')}, idle ${withUnit(idleMb, 'MB')}`,
    value: peakMb - idleMb,
    unit: 'MB',
    bar: BAR_MB,
  }))
}

function readyFigure(name: string, tookMs: number, seconds: number): Figure {
  return {
    what: `${name}: first byte -> ready`,
    detail: `${Math.round((seconds * 1000) / tookMs)} times as fast as it plays`,
    value: tookMs / 1000,
    unit: 's',
  }
}

function samplesFigure(name: string, samples: number, expected: number): Figure {
  return {
    what: `${name}: samples that mpg123 decodes`,
    detail: `${samples} of ${expected}`,
    value: Math.abs(samples - expected),
    unit: 'samples',
    bar: 0,
  }
}
