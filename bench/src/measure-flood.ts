/** Measures 64 recordings of 30 seconds at once: from the first upload's first byte to the last one ready, against xargs. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { awaitReady, uploadRecording } from './client.ts'
import type { Effort } from './effort.ts'
import { type Figure, median, withUnit } from './figures.ts'
import { recordingOf } from './material.ts'
import { flushDisk, timeXargsFfmpeg } from './plain-tools.ts'
import { type IdleService, withService } from './rivals.ts'
import type { Workplace } from './workplace.ts'

const RECORDINGS = 64
/** As many as one browser sends to a host at once. */
const UPLOADS_AT_ONCE = 6
const recording = recordingOf({ seconds: 30 })

export async function measureFlood(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const count = Math.round(RECORDINGS * effort.share)
  const wavPaths = Array.from({ length: count }, (_, index) => join(workplace.folder, `${index}.wav`))
  for (const path of wavPaths) await writeFile(path, recording.stream())
  return withService(workplace, {}, async (idle) => {
    const xargsMs: number[] = []
    const serviceMs: number[] = []
    const rounds = effort.rounds ?? 3
    for (let round = 1; round <= rounds; round += 1) {
      workplace.tell(`${count} x 30 seconds, round ${round} of ${rounds}`)
      await flushDisk()
      xargsMs.push(await timeXargsFfmpeg(wavPaths, workplace.folder))
      await flushDisk()
      serviceMs.push(await transcodeByService(idle, count))
    }
    return [figureOf(count, median(serviceMs), median(xargsMs))]
  })
}

async function transcodeByService({ service, user, agent }: IdleService, count: number): Promise<number> {
  const links: string[] = []
  let begun = 0
  async function uploadInTurn(): Promise<void> {
    while (begun < count) {
      begun += 1
      links.push(await uploadRecording(service.baseUrl, user, recording))
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: UPLOADS_AT_ONCE }, uploadInTurn))
  // One after the other: nearly all are ready when they are asked for.
  for (const link of links) await awaitReady(link, agent)
  return performance.now() - startedAt
}

function figureOf(count: number, serviceMs: number, xargsMs: number): Figure {
  return {
    what: `${count} x 30 seconds: first byte -> last ready`,
    detail: `${withUnit(serviceMs / 1000, 's')} against ${withUnit(xargsMs / 1000, 's')} of xargs ffmpeg`,
    value: serviceMs / xargsMs,
    unit: 'x',
    bar: 1.3,
  }
}
