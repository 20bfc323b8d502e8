/** Measures a recording of 60 minutes: the time to `ready` against plain ffmpeg, the worker's memory, and answers meanwhile. */
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { uploadRecording, waitUntilReady } from './client.ts'
import type { Effort } from './effort.ts'
import { type Figure, median, percentile, withUnit } from './figures.ts'
import { type Latencies, probeDuring } from './latencies.ts'
import { type Recording, recordingOf } from './material.ts'
import { type MemoryRound, memoryFigure } from './memory-figure.ts'
import { flushDisk, timePlainFfmpeg } from './plain-tools.ts'
import { residentMb, watchPeakMb } from './processes.ts'
import { type Rivals, withRivals } from './rivals.ts'
import { settle } from './settle.ts'
import type { Workplace } from './workplace.ts'

const MINUTES = 60

export async function measureHour(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const minutes = MINUTES * effort.share
  const recording = recordingOf({ seconds: minutes * 60 })
  const wavPath = join(workplace.folder, 'hour.wav')
  await pipeline(Readable.from(recording.stream()), createWriteStream(wavPath))
  return withRivals(workplace, async (rivals) => {
    await settle(rivals)
    const plainMs: number[] = []
    const rounds: Round[] = []
    const count = effort.rounds ?? 3
    for (let round = 1; round <= count; round += 1) {
      workplace.tell(`${minutes} minutes, round ${round} of ${count}`)
      await flushDisk()
      plainMs.push(await encodePlainly(rivals, wavPath))
      rounds.push(await transcodeByService(rivals, recording))
    }
    return figuresOf(minutes, median(plainMs), rounds)
  })
}

interface Round extends MemoryRound {
  readonly tookMs: number
  readonly latencies: Latencies
}

async function encodePlainly(rivals: Rivals, wavPath: string): Promise<number> {
  // The same questions are asked as beside the service, so that both encode under the same load.
  const { result } = await probeDuring(rivals, () => timePlainFfmpeg(wavPath, `${wavPath}.mp3`))
  return result
}

async function transcodeByService(rivals: Rivals, recording: Recording): Promise<Round> {
  const idleMb = await residentMb(rivals.workerPid)
  const peak = await watchPeakMb(rivals.workerPid)
  const link = await uploadRecording(rivals.service.baseUrl, rivals.user, recording)
  const answeredAt = performance.now()
  const { latencies } = await probeDuring(rivals, () => waitUntilReady(link, rivals.agent, 100))
  return { tookMs: performance.now() - answeredAt, idleMb, peakMb: await peak.stop(), latencies }
}

function figuresOf(minutes: number, plainMs: number, rounds: readonly Round[]): Figure[] {
  const serviceMs = median(rounds.map((round) => round.tookMs))
  const serviceP99 = percentile(
    rounds.flatMap((round) => round.latencies.serviceMs),
    0.99,
  )
  const bareP99 = percentile(
    rounds.flatMap((round) => round.latencies.bareMs),
    0.99,
  )
  return [
    {
      what: `${minutes} minutes: answered -> ready`,
      detail: `${withUnit(serviceMs / 1000, 's')} against ${withUnit(plainMs / 1000, 's')} of plain ffmpeg`,
      value: serviceMs / plainMs,
      unit: 'x',
      bar: 1.15,
    },
    memoryFigure(`${minutes} minutes: memory of the worker over idle`, rounds, 80),
    {
      what: `${minutes} minutes: p99 of /health/live meanwhile`,
      detail: `${withUnit(serviceP99, 'ms')} against ${withUnit(bareP99, 'ms')} of a bare Fastify route`,
      value: serviceP99 / bareP99,
      unit: 'x',
      bar: 3,
    },
  ]
}
