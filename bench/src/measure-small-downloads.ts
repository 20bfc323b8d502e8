/** Measures how many downloads of a small MP3 are answered in a second, against a bare route that reads the same bytes by one query. */
import type { Effort } from './effort.ts'
import { type Figure, median } from './figures.ts'
import { askByTurns } from './load.ts'
import { withRivals } from './rivals.ts'
import { idOf, storeMp3 } from './stored-mp3.ts'
import type { Workplace } from './workplace.ts'

const MP3_BYTES = 49_000
const CONNECTIONS = 8
const REQUESTS = 4_000

export function measureSmallDownloads(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  return withRivals(workplace, async (rivals) => {
    const link = await storeMp3(rivals, MP3_BYTES)
    const load = { connections: CONNECTIONS, requests: REQUESTS * effort.share, expected: 200 }
    const askBare = () => askByTurns([`${rivals.bare.baseUrl}/mp3?id=${idOf(link)}`], load)
    const askService = () => askByTurns([link], load)
    await askBare() // both are warm then
    await askService()

    const barePerSecond: number[] = []
    const servicePerSecond: number[] = []
    const rounds = effort.rounds ?? 5
    for (let round = 1; round <= rounds; round += 1) {
      workplace.tell(`${load.requests} downloads of 49 KB, round ${round} of ${rounds}`)
      barePerSecond.push((await askBare()).perSecond)
      servicePerSecond.push((await askService()).perSecond)
    }
    return [figureOf(median(servicePerSecond), median(barePerSecond))]
  })
}

function figureOf(servicePerSecond: number, barePerSecond: number): Figure {
  const rate = (perSecond: number) => `${Math.round(perSecond)} a second`
  return {
    what: `downloads of 49 KB over ${CONNECTIONS} connections: time for each`,
    detail: `${rate(servicePerSecond)} against ${rate(barePerSecond)} of a bare route with one query`,
    value: barePerSecond / servicePerSecond,
    unit: 'x',
    bar: 2,
  }
}
