/** Measures a recording of 3 seconds: what the time from accepted to ready costs over plain ffmpeg. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { uploadRecording, waitUntilReady } from './client.ts'
import { type Figure, median, withUnit } from './figures.ts'
import { recordingOf } from './material.ts'
import { timePlainFfmpeg } from './plain-tools.ts'
import { type Rivals, withRivals } from './rivals.ts'
import type { Workplace } from './workplace.ts'

const ROUNDS = 20
const recording = recordingOf({ seconds: 3 })

export async function measureShort(workplace: Workplace): Promise<Figure[]> {
  const wavPath = join(workplace.folder, 'short.wav')
  await writeFile(wavPath, recording.stream())
  return withRivals(workplace, async (rivals) => {
    workplace.tell(`3 seconds, ${ROUNDS} rounds`)
    const plainMs: number[] = []
    const serviceMs: number[] = []
    for (let round = 1; round <= ROUNDS; round += 1) {
      plainMs.push(await timePlainFfmpeg(wavPath, `${wavPath}.mp3`))
      serviceMs.push(await timeAcceptedToReady(rivals))
    }
    return [figureOf(median(serviceMs), median(plainMs))]
  })
}

async function timeAcceptedToReady({ service, user, agent }: Rivals): Promise<number> {
  const link = await uploadRecording(service.baseUrl, user, recording)
  const acceptedAt = performance.now()
  await waitUntilReady(link, agent, 5)
  return performance.now() - acceptedAt
}

function figureOf(serviceMs: number, plainMs: number): Figure {
  return {
    what: '3 seconds: accepted -> ready, over plain ffmpeg',
    detail: `${withUnit(serviceMs, 'ms')} against ${withUnit(plainMs, 'ms')}, median of ${ROUNDS}`,
    value: serviceMs - plainMs,
    unit: 'ms',
    bar: 300,
  }
}
