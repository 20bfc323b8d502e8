/** Measures 2,000 clients that wait for one recording, by event stream and by long poll: when all are told, and the API's memory. */
import { setTimeout as sleep } from 'node:timers/promises'
import { get, uploadRecording, waitUntilReady } from './client.ts'
import { gatherCrowd } from './crowd.ts'
import type { Effort } from './effort.ts'
import { type Figure, median, withUnit } from './figures.ts'
import { type GatedFfmpeg, gateFfmpeg } from './gated-ffmpeg.ts'
import { recordingOf } from './material.ts'
import { type MemoryRound, memoryFigure } from './memory-figure.ts'
import { residentMb, watchPeakMb } from './processes.ts'
import { type IdleService, withService } from './rivals.ts'
import { settle } from './settle.ts'
import type { Workplace } from './workplace.ts'

const CLIENTS = 2_000
/** Time for the last of them to be read and to wait. */
const GATHER_MS = 2_000
const recording = recordingOf({ seconds: 3 })

interface Way {
  readonly name: string
  readonly urlOf: (link: string) => string
  readonly headers: Readonly<Record<string, string>>
  /** Whether the answer so far tells that the recording is ready; for a long poll that is the whole MP3. */
  readonly isTold: (answer: string) => boolean
}

const ways: readonly Way[] = [
  {
    name: 'event streams',
    urlOf: (link) => link.replace('/record?', '/record/events?'),
    headers: {},
    isTold: (answer) => answer.includes('event: ready'),
  },
  { name: '`Prefer: wait`', urlOf: (link) => link, headers: { prefer: 'wait=60' }, isTold: isWhole200 },
]

export async function measureWaiters(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const count = CLIENTS * effort.share
  const ffmpeg = await gateFfmpeg(workplace.folder)
  const figures: Figure[] = []
  for (const way of ways) {
    // A service of its own for each, so that the memory of one is no memory of the other.
    figures.push(
      ...(await withService(workplace, { FFMPEG_PATH: ffmpeg.path }, async (idle) => {
        await settle(idle)
        const name = `${count} ${way.name} on one recording`
        const toldMs: number[] = []
        const memory: MemoryRound[] = []
        const rounds = effort.rounds ?? 3
        for (let round = 1; round <= rounds; round += 1) {
          workplace.tell(`${name}, round ${round} of ${rounds}`)
          const { lastToldMs, ...held } = await waitTogether(idle, ffmpeg, way, count)
          toldMs.push(lastToldMs)
          memory.push(held)
        }
        return [toldFigure(name, toldMs), memoryFigure(`${name}: memory of the API over idle`, memory, 100)]
      })),
    )
  }
  return figures
}

async function waitTogether(
  { service, user, agent, apiPid }: IdleService,
  ffmpeg: GatedFfmpeg,
  way: Way,
  count: number,
): Promise<MemoryRound & { lastToldMs: number }> {
  const idleMb = await residentMb(apiPid)
  const peak = await watchPeakMb(apiPid)
  await ffmpeg.close()
  const link = await uploadRecording(service.baseUrl, user, recording)
  const crowd = await gatherCrowd(way.urlOf(link), count, way.headers, way.isTold)
  try {
    await sleep(GATHER_MS)
    await ffmpeg.open()
    const toldAt = await crowd.told
    await waitUntilReady(link, agent, 20)
    const { body } = await get(link.replace('/record?', '/record/status?'), agent)
    const { readyAt }: { readyAt: string } = JSON.parse(body)
    return { idleMb, peakMb: await peak.stop(), lastToldMs: Math.max(...toldAt) - Date.parse(readyAt) }
  } finally {
    await ffmpeg.open()
    crowd.leave()
  }
}

function isWhole200(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n')
  const length = /^content-length: (\d+)/im.exec(answer.slice(0, headEnd))?.[1]
  if (headEnd < 0 || !answer.startsWith('HTTP/1.1 200 ') || length === undefined) return false
  return answer.length >= headEnd + 4 + Number(length)
}

function toldFigure(name: string, toldMs: readonly number[]): Figure {
  return {
    what: `${name}: ready -> the last one is told`,
    detail: `rounds ${toldMs.map((ms) => withUnit(ms, 'ms')).join(', ')}`,
    value: median(toldMs) / 1000,
    unit: 's',
    bar: 1,
  }
}
