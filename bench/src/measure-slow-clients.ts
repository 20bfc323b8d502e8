/** Measures 500 connections that send one byte a second: when the last is cut, what the API holds, and what others feel. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createUser, uploadRecording, waitUntilReady } from './client.ts'
import type { Effort } from './effort.ts'
import { type Figure, percentile, withUnit } from './figures.ts'
import { type Latencies, probeDuring } from './latencies.ts'
import { recordingOf } from './material.ts'
import { memoryFigure } from './memory-figure.ts'
import { residentMb, watchPeakMb } from './processes.ts'
import { type Rivals, withRivals } from './rivals.ts'
import { settle } from './settle.ts'
import type { Workplace } from './workplace.ts'

const CONNECTIONS = 500
/** So few of each that all of their bodies are read at once. */
const FROM_EACH_ADDRESS = 5
/** What is still open then is given up. */
const GIVE_UP_MS = 180_000
const short = recordingOf({ seconds: 3 })
const silent = recordingOf({ seconds: 3 }, 'silence')

export function measureSlowClients(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const connections = Math.round(CONNECTIONS * effort.share)
  return withRivals(workplace, async (rivals) => {
    await settle(rivals)
    workplace.tell(`${connections} connections of one byte a second`)
    const idleMb = await residentMb(rivals.apiPid)
    const peak = await watchPeakMb(rivals.apiPid)
    const { result, latencies } = await probeDuring(rivals, () => dripBeside(rivals, connections))
    const memory = { idleMb, peakMb: await peak.stop() }
    return [
      {
        what: `${connections} slow connections: the last is cut`,
        detail: 'half of them slow heads, half slow bodies',
        value: result.lastCutMs / 1000,
        unit: 's',
        bar: 90,
      },
      memoryFigure(`${connections} slow connections: memory of the API over idle`, [memory], 150),
      ...othersFigures(latencies, result.readyMs),
    ]
  })
}

interface Dripped {
  readonly lastCutMs: number
  /** Of another user's upload meanwhile, from its first byte. */
  readonly readyMs: number
}

async function dripBeside(rivals: Rivals, connections: number): Promise<Dripped> {
  const { service, user, agent } = rivals
  const startedAt = performance.now()
  const sockets = await Promise.all(
    Array.from({ length: connections }, (_, index) => openFrom(service.baseUrl, index)),
  )
  const cut = Promise.all(sockets.map((socket) => once(socket, 'close')))
  for (const [index, socket] of sockets.entries()) {
    if (index % 2 === 0) socket.write(uploadHead(user.id, user.token))
    else socket.write('GET /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ')
  }
  const dripping = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('a')
  }, 1_000)
  try {
    const other = await createUser(service.baseUrl)
    const sentAt = performance.now()
    await waitUntilReady(await uploadRecording(service.baseUrl, other, short), agent, 50)
    const readyMs = performance.now() - sentAt
    await Promise.race([cut, sleep(GIVE_UP_MS, undefined, { ref: false })])
    return { lastCutMs: performance.now() - startedAt, readyMs }
  } finally {
    clearInterval(dripping)
    for (const socket of sockets) socket.destroy()
  }
}

async function openFrom(baseUrl: string, index: number): Promise<Socket> {
  const localAddress = `127.0.1.${1 + Math.floor(index / FROM_EACH_ADDRESS)}`
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(baseUrl).port), localAddress })
  await once(socket, 'connect')
  socket.on('error', () => undefined) // a reset is one way to be cut
  socket.resume()
  return socket
}

/** Up to the first samples of a WAV, so that what drips after it is nothing to refuse. */
function uploadHead(user: string, token: string): Buffer {
  const head = [
    `POST /record?user=${user} HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: audio/wav',
    `authorization: Bearer ${token}`,
    `content-length: ${short.bytes}`,
  ]
  const [wavHead = Buffer.alloc(0)] = silent.stream()
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), wavHead])
}

function othersFigures({ serviceMs, bareMs }: Latencies, readyMs: number): Figure[] {
  const [p99, bareP99] = [percentile(serviceMs, 0.99), percentile(bareMs, 0.99)]
  return [
    {
      what: "slow connections: others' answers, p99",
      detail: `${withUnit(p99, 'ms')} against ${withUnit(bareP99, 'ms')} of a bare route`,
      value: p99 / 1000,
      unit: 's',
      bar: 1,
    },
    {
      what: "slow connections: another user's 3 seconds, first byte -> ready",
      detail: '',
      value: readyMs / 1000,
      unit: 's',
      bar: 15,
    },
  ]
}
