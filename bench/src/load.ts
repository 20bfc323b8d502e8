/** Asks again and again over several connections at once, with a client that costs little, and tells how fast answers came. */
import { Pool } from 'undici'

export interface Load {
  /** The answers divided by the whole time. */
  readonly perSecond: number
  /** Of each answer, from asking to its last byte. */
  readonly latenciesMs: readonly number[]
}

/**
 * @param urls of one server; connection by connection, each asks for the next of them again and again.
 * @param expected the status, without which the load is no measurement. @throws Error for any other.
 */
export async function askByTurns(
  urls: readonly string[],
  { connections, requests, expected }: { connections: number; requests: number; expected: number },
): Promise<Load> {
  const { origin } = new URL(urls[0] ?? '')
  const pool = new Pool(origin, { connections, pipelining: 1 })
  const latenciesMs: number[] = []
  let asked = 0

  async function ask(path: string): Promise<void> {
    while (asked < requests) {
      asked += 1
      const askedAt = performance.now()
      const { statusCode, body } = await pool.request({ method: 'GET', path })
      await body.dump({ limit: Number.MAX_SAFE_INTEGER })
      latenciesMs.push(performance.now() - askedAt)
      if (statusCode !== expected) throw new Error(`${path} was answered with ${statusCode}, not ${expected}`)
    }
  }
  const paths = Array.from({ length: connections }, (_, index) => pathOf(urls[index % urls.length] ?? ''))
  const startedAt = performance.now()
  try {
    await Promise.all(paths.map(ask))
    return { perSecond: (requests * 1000) / (performance.now() - startedAt), latenciesMs }
  } finally {
    await pool.destroy()
  }
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  return pathname + search
}
