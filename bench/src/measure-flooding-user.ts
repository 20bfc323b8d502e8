/** Measures what others feel while one user sends 1,000 uploads over 100 connections from one address. */
import { Agent } from 'node:http'
import { createUser, postMultipart, type User, uploadRecording, waitUntilReady } from './client.ts'
import type { Effort } from './effort.ts'
import { type Figure, percentile, withUnit } from './figures.ts'
import { type Latencies, probeDuring } from './latencies.ts'
import { recordingOf } from './material.ts'
import { type Rivals, withRivals } from './rivals.ts'
import type { Workplace } from './workplace.ts'

const UPLOADS = 1_000
const CONNECTIONS = 100
/** Of the loopback network, and not the address that the other user has. */
const FLOODING_ADDRESS = '127.0.0.2'
// Made by so many at once that music would keep the client itself busy.
const flooding = recordingOf({ seconds: 1 }, 'silence')
const short = recordingOf({ seconds: 3 })

export function measureFloodingUser(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const uploads = Math.round(UPLOADS * effort.share)
  return withRivals(workplace, async (rivals) => {
    const { service, agent } = rivals
    workplace.tell(`${uploads} uploads of one user over ${CONNECTIONS} connections`)
    const other = await createUser(service.baseUrl)
    const polled = await uploadRecording(service.baseUrl, other, short)
    await waitUntilReady(polled, agent, 100)
    const statusUrl = polled.replace('/record?', '/record/status?')
    const { result, latencies } = await probeDuring(
      rivals,
      () => floodBeside(rivals, other, uploads),
      statusUrl,
    )
    return [answersFigure(result.answers), ...othersFigures(latencies, result.readyMs)]
  })
}

interface Flooded {
  /** How many of each status; 0 stands for a connection that broke. */
  readonly answers: ReadonlyMap<number, number>
  /** From the first byte of the other user's upload in the middle of it to ready. */
  readonly readyMs: number
}

async function floodBeside(rivals: Rivals, other: User, uploads: number): Promise<Flooded> {
  const { service, user } = rivals
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, localAddress: FLOODING_ADDRESS })
  const answers = new Map<number, number>()
  const note = (status: number) => answers.set(status, (answers.get(status) ?? 0) + 1)
  const fields = { user: user.id, token: user.token }
  let begun = 0
  let readyMs = Number.NaN
  async function sendInTurn(): Promise<void> {
    while (begun < uploads) {
      begun += 1
      const answer = await postMultipart(`${service.baseUrl}/record`, fields, flooding, agent).catch(
        () => undefined,
      )
      note(answer?.status ?? 0)
      if (begun >= uploads / 4 && Number.isNaN(readyMs)) {
        readyMs = 0
        readyMs = await timeToReady(rivals, other)
      }
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, sendInTurn))
  agent.destroy()
  return { answers, readyMs }
}

async function timeToReady({ service, agent }: Rivals, other: User): Promise<number> {
  const startedAt = performance.now()
  await waitUntilReady(await uploadRecording(service.baseUrl, other, short), agent, 50)
  return performance.now() - startedAt
}

function answersFigure(answers: ReadonlyMap<number, number>): Figure {
  const wanted = new Set([202, 429, 503])
  const told = [...answers].map(([status, count]) => `${count} x ${status === 0 ? 'broken' : status}`)
  return {
    what: 'one user floods: answers that are neither 202, 429 nor 503',
    detail: told.sort().join(', '),
    value: [...answers].reduce((sum, [status, count]) => sum + (wanted.has(status) ? 0 : count), 0),
    unit: 'answers',
    bar: 0,
  }
}

function othersFigures({ serviceMs, bareMs }: Latencies, readyMs: number): Figure[] {
  const [p99, bareP99] = [percentile(serviceMs, 0.99), percentile(bareMs, 0.99)]
  return [
    {
      what: "one user floods: another user's polls, p99",
      detail: `${withUnit(p99, 'ms')} against ${withUnit(bareP99, 'ms')} of a bare route, ${serviceMs.length} polls`,
      value: p99 / 1000,
      unit: 's',
      bar: 1,
    },
    {
      what: "one user floods: another user's 3 seconds, first byte -> ready",
      detail: '',
      value: readyMs / 1000,
      unit: 's',
      bar: 15,
    },
  ]
}
