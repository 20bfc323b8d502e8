/** One HTTP request on a connection of its own, so that what a killed process leaves of a connection meets nobody else. */
import { type IncomingHttpHeaders, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface Question {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** The connection is cut after so many bytes of the body. */
  readonly cutAfterBytes?: number
}

/** Thrown where there is no whole answer: the connection was refused, broke, or was cut by us. */
export class NoAnswer extends Error {
  constructor(options: { cause: unknown }) {
    super('There was no answer', options)
    this.name = 'NoAnswer'
  }
}

const PATIENCE_MS = 60_000

/** @throws NoAnswer, or an Error if nothing came for a minute. */
export async function ask(url: string, question: Question = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, cutAfterBytes } = question
  const length = body === undefined ? {} : { 'content-length': String(body.length) }
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const outgoing = request(url, { method, headers: { ...headers, ...length }, agent: false })
      outgoing.setTimeout(PATIENCE_MS, () => outgoing.destroy(new Late(url)))
      outgoing.on('error', reject)
      outgoing.on('response', (incoming) => {
        const pieces: Buffer[] = []
        incoming.on('data', (piece: Buffer) => pieces.push(piece))
        incoming.on('error', reject)
        incoming.on('end', () => {
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(pieces),
          })
        })
      })
      if (cutAfterBytes === undefined) outgoing.end(body)
      else outgoing.write(body?.subarray(0, cutAfterBytes), () => outgoing.destroy(new Error('cut by us')))
    })
  } catch (error) {
    if (error instanceof Late) throw error
    throw new NoAnswer({ cause: error })
  }
}

class Late extends Error {
  constructor(url: string) {
    super(`Nothing came for ${PATIENCE_MS / 1000} s from ${new URL(url).pathname}`)
    this.name = 'Late'
  }
}
