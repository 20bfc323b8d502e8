/** Measures the download of an MP3 of 57 MB over one connection: against psql's COPY of the same rows, and its first byte. */
import { drain } from './drain.ts'
import type { Effort } from './effort.ts'
import { type Figure, median, withUnit } from './figures.ts'
import { timePsqlCopy } from './plain-tools.ts'
import { withRivals } from './rivals.ts'
import { HOUR_MP3_BYTES, idOf, storeMp3 } from './stored-mp3.ts'
import type { Workplace } from './workplace.ts'

export function measureDownload(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const mp3Bytes = HOUR_MP3_BYTES * effort.share
  const size = withUnit(mp3Bytes / 1e6, 'MB')
  return withRivals(workplace, async ({ bare, ...idle }) => {
    workplace.tell(`a recording whose MP3 has ${size}`)
    const link = await storeMp3(idle, mp3Bytes)
    const psqlMs: number[] = []
    const serviceMs: number[] = []
    const bareFirstMs: number[] = []
    const serviceFirstMs: number[] = []
    const rounds = effort.rounds ?? 20
    workplace.tell(`download of ${size}, ${rounds} rounds`)
    for (let round = 1; round <= rounds; round += 1) {
      psqlMs.push(await timePsqlCopy(idle.databaseUrl, idOf(link)))
      bareFirstMs.push((await drain(`${bare.baseUrl}/state?id=${idOf(link)}`, idle.agent)).firstByteMs)
      const download = await drain(link, idle.agent)
      if (download.bytes < mp3Bytes) throw new Error(`Only ${download.bytes} bytes came`)
      serviceMs.push(download.tookMs)
      serviceFirstMs.push(download.firstByteMs)
    }
    return [
      wholeFigure(size, median(serviceMs), median(psqlMs)),
      firstByteFigure(size, median(serviceFirstMs), median(bareFirstMs)),
    ]
  })
}

function wholeFigure(size: string, serviceMs: number, psqlMs: number): Figure {
  return {
    what: `download of ${size}: time`,
    detail: `${withUnit(serviceMs, 'ms')} against ${withUnit(psqlMs, 'ms')} of psql's COPY of the same rows`,
    value: serviceMs / psqlMs,
    unit: 'x',
    bar: 2,
  }
}

function firstByteFigure(size: string, serviceMs: number, bareMs: number): Figure {
  return {
    what: `download of ${size}: time to the first byte`,
    detail: `${withUnit(serviceMs, 'ms')} against ${withUnit(bareMs, 'ms')} of a bare Fastify route with one query`,
    value: serviceMs / bareMs,
    unit: 'x',
    bar: 3,
  }
}
