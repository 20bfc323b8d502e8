/** Measures a recording of 3 seconds: what accepted -> ready costs over plain ffmpeg, with the queue in PostgreSQL and in Redis. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { awaitReady, uploadRecording } from './client.ts'
import type { Effort } from './effort.ts'
import { type Figure, median, withUnit } from './figures.ts'
import { recordingOf } from './material.ts'
import { timePlainFfmpeg } from './plain-tools.ts'
import { startRedisServer } from './redis-server.ts'
import { type IdleService, withService } from './rivals.ts'
import type { Workplace } from './workplace.ts'

const recording = recordingOf({ seconds: 3 })

interface Queue {
  readonly name: 'PostgreSQL' | 'Redis'
  /** The bar, in ms over plain ffmpeg. */
  readonly barMs: number
  readonly settings: Readonly<Record<string, string>>
}

export async function measureShort(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const inPostgres = await measureQueue(workplace, effort, { name: 'PostgreSQL', barMs: 150, settings: {} })
  const redis = await startRedisServer(await workplace.newFolder())
  if (redis === undefined) {
    workplace.tell('3 seconds with Redis: left out, there is no redis-server')
    return [inPostgres]
  }
  try {
    const settings = { REDIS_URL: redis.url }
    return [inPostgres, await measureQueue(workplace, effort, { name: 'Redis', barMs: 100, settings })]
  } finally {
    await redis.stop()
  }
}

async function measureQueue(workplace: Workplace, effort: Effort, queue: Queue): Promise<Figure> {
  const wavPath = join(workplace.folder, 'short.wav')
  await writeFile(wavPath, recording.stream())
  return withService(workplace, queue.settings, async (idle) => {
    const rounds = effort.rounds ?? 20
    workplace.tell(`3 seconds with ${queue.name}, ${rounds} rounds`)
    const plainMs: number[] = []
    const serviceMs: number[] = []
    for (let round = 1; round <= rounds; round += 1) {
      plainMs.push(await timePlainFfmpeg(wavPath, `${wavPath}.mp3`))
      serviceMs.push(await timeAcceptedToReady(idle))
    }
    return figureOf(queue, rounds, median(serviceMs), median(plainMs))
  })
}

async function timeAcceptedToReady({ service, user, agent }: IdleService): Promise<number> {
  const link = await uploadRecording(service.baseUrl, user, recording)
  const acceptedAt = performance.now()
  await awaitReady(link, agent)
  return performance.now() - acceptedAt
}

function figureOf(queue: Queue, rounds: number, serviceMs: number, plainMs: number): Figure {
  return {
    what: `3 seconds, queue in ${queue.name}: accepted -> ready, over plain ffmpeg`,
    detail: `${withUnit(serviceMs, 'ms')} against ${withUnit(plainMs, 'ms')}, median of ${rounds}`,
    value: serviceMs - plainMs,
    unit: 'ms',
    bar: queue.barMs,
  }
}
