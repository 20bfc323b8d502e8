/** Measures the memory of the API while 32 clients download an MP3 of 57 MB at once. */
import { Agent } from 'node:http'
import { drain } from './drain.ts'
import type { Effort } from './effort.ts'
import { type Figure, withUnit } from './figures.ts'
import { type MemoryRound, memoryFigure } from './memory-figure.ts'
import { residentMb, watchPeakMb } from './processes.ts'
import { type IdleService, withService } from './rivals.ts'
import { settle } from './settle.ts'
import { HOUR_MP3_BYTES, storeMp3 } from './stored-mp3.ts'
import type { Workplace } from './workplace.ts'

const DOWNLOADS = 32

export function measureDownloadsMemory(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const mp3Bytes = HOUR_MP3_BYTES * effort.share
  const name = `${DOWNLOADS} downloads of ${withUnit(mp3Bytes / 1e6, 'MB')} at once`
  return withService(workplace, {}, async (idle) => {
    const link = await storeMp3(idle, mp3Bytes)
    await settle(idle)
    const memory: MemoryRound[] = []
    const rounds = effort.rounds ?? 3
    for (let round = 1; round <= rounds; round += 1) {
      workplace.tell(`${name}, round ${round} of ${rounds}`)
      memory.push(await downloadAtOnce(idle, link, mp3Bytes))
    }
    return [memoryFigure(`${name}: memory of the API over idle`, memory, 150)]
  })
}

async function downloadAtOnce({ apiPid }: IdleService, link: string, mp3Bytes: number): Promise<MemoryRound> {
  const agent = new Agent({ keepAlive: true })
  const idleMb = await residentMb(apiPid)
  const peak = await watchPeakMb(apiPid)
  const downloads = await Promise.all(Array.from({ length: DOWNLOADS }, () => drain(link, agent)))
  agent.destroy()
  if (downloads.some(({ bytes }) => bytes < mp3Bytes)) throw new Error('A download was cut short')
  return { idleMb, peakMb: await peak.stop() }
}
