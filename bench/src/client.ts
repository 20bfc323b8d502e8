/** Speaks HTTP to Wavemill and to the bare server: a user, an upload as a stream, a wait until the link is ready, and a download. */
import { createWriteStream } from 'node:fs'
import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Upload } from './material.ts'

export interface User {
  readonly id: string
  readonly token: string
}

export interface Answer {
  readonly status: number
  readonly body: string
}

/** Makes a user with a name that nobody else has. */
export async function createUser(baseUrl: string): Promise<User> {
  const response = await fetch(`${baseUrl}/user`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: `bench ${crypto.randomUUID()}` }),
  })
  return { id: '', token: '', ...parseAnswer(response.status, 201, await response.text()) }
}

/** Uploads a recording and returns its link. @throws unless the answer is 202. */
export async function uploadRecording(baseUrl: string, user: User, recording: Upload): Promise<string> {
  const answer = await postMultipart(`${baseUrl}/record`, { user: user.id, token: user.token }, recording)
  const { url } = parseAnswer(answer.status, 202, answer.body)
  if (url === undefined) throw new Error(`No url in ${answer.body}`)
  return url
}

/** Streams a recording as the file of a multipart form, after its fields; nothing of it is kept in memory. */
export async function postMultipart(
  url: string,
  fields: Readonly<Record<string, string>>,
  recording: Upload,
  agent?: Agent,
): Promise<Answer> {
  const boundary = `wavemill-${crypto.randomUUID()}`
  const part = (name: string, more: string) =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n`
  const texts = Object.entries(fields).map(([name, value]) => `${part(name, '')}${value}\r\n`)
  const head = Buffer.from(texts.join('') + part('file', '; filename="bench.wav"\r\ncontent-type: audio/wav'))
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  async function* body() {
    yield head
    yield* recording.stream()
    yield tail
  }
  const outgoing = request(url, {
    method: 'POST',
    ...(agent !== undefined && { agent }),
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': head.length + recording.bytes + tail.length,
    },
  })
  const answer = answerOf(outgoing)
  await Promise.all([pipeline(Readable.from(body(), { objectMode: false }), outgoing), answer])
  return answer
}

/** GETs a URL over a kept connection, so that the time of the answer holds no handshake. */
export function get(url: string, agent: Agent): Promise<Answer> {
  const outgoing = request(url, { agent })
  outgoing.end()
  return answerOf(outgoing)
}

/** Asks for the link until it is no longer 202. @throws unless it is 200 then. */
export async function waitUntilReady(link: string, agent: Agent, pollEveryMs: number): Promise<void> {
  const statusUrl = link.replace('/record?', '/record/status?')
  for (;;) {
    const answer = await get(statusUrl, agent)
    const { status } = parseAnswer(answer.status, 200, answer.body)
    if (status === 'ready') return
    if (status !== 'queued' && status !== 'processing')
      throw new Error(`The recording is ${status}: ${answer.body}`)
    await sleep(pollEveryMs)
  }
}

/** Waits for the link as long as it takes, and asks the service for nothing meanwhile. @throws unless it is 200 then. */
export async function awaitReady(link: string, agent: Agent): Promise<void> {
  for (;;) {
    const outgoing = request(link, { method: 'HEAD', agent, headers: { prefer: 'wait=60' } })
    outgoing.end()
    const { status } = await answerOf(outgoing)
    if (status === 200) return
    if (status !== 202) throw new Error(`The link was answered with ${status}`)
  }
}

/** Writes what a link gives to a file, as it comes. @throws unless the answer is 200. */
export async function downloadTo(path: string, link: string): Promise<void> {
  const outgoing = request(link)
  outgoing.end()
  const incoming = await incomingOf(outgoing)
  if (incoming.statusCode !== 200) throw new Error(`The download was answered with ${incoming.statusCode}`)
  await pipeline(incoming, createWriteStream(path))
}

async function answerOf(outgoing: ClientRequest): Promise<Answer> {
  const incoming = await incomingOf(outgoing)
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return { status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString() }
}

function incomingOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve)
    outgoing.once('error', reject)
  })
}

type JsonAnswer = Partial<Record<'id' | 'token' | 'url' | 'status', string>>

function parseAnswer(status: number, expected: number, body: string): JsonAnswer {
  if (status !== expected) throw new Error(`The answer was ${status}, not ${expected}: ${body}`)
  const answer: JsonAnswer = JSON.parse(body)
  return answer
}
