/** The address on which the API will listen: whether it can be had, and what a person types to reach it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { choosePort, tryToListen } from './free-port.ts'

const POLL_MS = 200

/**
 * The port, or any free one for 0.
 *
 * @param patienceMs how long to wait for a port that is taken.
 * @throws Error with a sentence for the user.
 */
export async function claimPort(host: string, port: number, patienceMs: number): Promise<number> {
  if (port === 0) return await choosePort()
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    try {
      await tryToListen(port, host)
      return port
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE' || waitedMs >= patienceMs) throw explain(error, host, port)
    }
    await sleep(POLL_MS)
  }
}

/** Where it is reached from this machine, without a trailing slash. */
export function localAddress(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function explain(cause: unknown, host: string, port: number): Error {
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return new Error(`port ${port} is taken by another program: stop it, or set PORT to another one`, {
        cause,
      })
    case 'EACCES':
      return new Error(`this account may not listen on port ${port}: set PORT to one above 1023`, { cause })
    default:
      return new Error(`nobody can listen on ${host}, port ${port}: is HOST right?`, { cause })
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
