/** Measures polls of recordings that wait, while two long ones are transcoded, against a bare route with one query by id. */
import { uploadRecording } from './client.ts'
import type { Effort } from './effort.ts'
import { type Figure, median, percentile, withUnit } from './figures.ts'
import { askByTurns, type Load } from './load.ts'
import { recordingOf } from './material.ts'
import { type Rivals, withRivals } from './rivals.ts'
import { idOf } from './stored-mp3.ts'
import type { Workplace } from './workplace.ts'

const CONNECTIONS = 32
const REQUESTS = 2_000
const TRANSCODED_MINUTES = 60
/** They must outlast the polls, also those of a quick try. */
const LEAST_SHARE = 0.5

export function measurePolls(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  return withRivals(workplace, async (rivals) => {
    const links = await storeWaiting(rivals, effort.share)
    return [
      ...(await measure(workplace, effort, rivals, {
        name: 'polls of one recording',
        links: links.slice(0, 1),
      })),
      ...(await measure(workplace, effort, rivals, { name: `polls of ${CONNECTIONS} recordings`, links })),
    ]
  })
}

interface Polls {
  readonly name: string
  readonly links: readonly string[]
}

async function measure(
  workplace: Workplace,
  effort: Effort,
  { bare: { baseUrl } }: Rivals,
  { name, links }: Polls,
): Promise<Figure[]> {
  const load = { connections: CONNECTIONS, requests: REQUESTS * effort.share }
  const stateUrls = links.map((link) => `${baseUrl}/state?id=${idOf(link)}`)
  const askBare = () => askByTurns(stateUrls, { ...load, expected: 200 })
  // A 202 also says that the transcodes before it still run.
  const askService = () => askByTurns(links, { ...load, expected: 202 })
  await askBare() // both are warm then
  await askService()

  const bare: Load[] = []
  const service: Load[] = []
  const rounds = effort.rounds ?? 5
  for (let round = 1; round <= rounds; round += 1) {
    workplace.tell(`${load.requests} ${name}, round ${round} of ${rounds}`)
    bare.push(await askBare())
    service.push(await askService())
  }
  return figuresOf(`${name} over ${CONNECTIONS} connections, beside two transcodes`, service, bare)
}

/** Two long recordings, and behind them as many short ones as there are connections. @returns links of the short ones. */
async function storeWaiting({ service, user }: Rivals, share: number): Promise<string[]> {
  const long = recordingOf({ seconds: TRANSCODED_MINUTES * 60 * Math.max(share, LEAST_SHARE) })
  const short = recordingOf({ seconds: 1 })
  for (let index = 0; index < 2; index += 1) await uploadRecording(service.baseUrl, user, long)
  const links: string[] = []
  while (links.length < CONNECTIONS) links.push(await uploadRecording(service.baseUrl, user, short))
  return links
}

function figuresOf(name: string, service: readonly Load[], bare: readonly Load[]): Figure[] {
  const rate = (loads: readonly Load[]) => median(loads.map(({ perSecond }) => perSecond))
  const p99 = (loads: readonly Load[]) => {
    const latenciesMs = loads.flatMap((load) => load.latenciesMs)
    return percentile(latenciesMs, 0.99)
  }
  const told = (loads: readonly Load[]) => `${Math.round(rate(loads))} a second`
  return [
    {
      what: `${name}: time for each`,
      detail: `${told(service)} against ${told(bare)} of a bare route with one query`,
      value: rate(bare) / rate(service),
      unit: 'x',
      bar: 2,
    },
    {
      what: `${name}: p99`,
      detail: `${withUnit(p99(service), 'ms')} against ${withUnit(p99(bare), 'ms')}`,
      value: p99(service) / p99(bare),
      unit: 'x',
      bar: 3,
    },
  ]
}
