/** Downloads to nowhere, and tells how long that took. */
import { once } from 'node:events'
import { type Agent, IncomingMessage, request } from 'node:http'

export interface Drained {
  /** From asking to the first byte of the body, and to the last. */
  readonly firstByteMs: number
  readonly tookMs: number
  readonly bytes: number
}

/** GETs a URL over a kept connection and throws its body away as it comes. @throws unless the answer is 200 or 206. */
export async function drain(
  url: string,
  agent: Agent,
  headers: Readonly<Record<string, string>> = {},
): Promise<Drained> {
  const askedAt = performance.now()
  const [incoming] = await once(request(url, { agent, headers }).end(), 'response')
  if (!(incoming instanceof IncomingMessage)) throw new TypeError('An answer is no message')
  if (incoming.statusCode !== 200 && incoming.statusCode !== 206) {
    throw new Error(`${url} was answered with ${incoming.statusCode}`)
  }
  let firstByteMs = Number.NaN
  let bytes = 0
  for await (const chunk of incoming) {
    if (bytes === 0) firstByteMs = performance.now() - askedAt
    bytes += chunk.length
  }
  return { firstByteMs, tookMs: performance.now() - askedAt, bytes }
}
