/** Chooses TCP ports of this machine, and tells whether one is taken. */

import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the range from which systems choose the ports of outgoing connections: a client that tries again and again to
// reach a server that is away would sooner or later be given the server's port as its own, and keep it from coming back.
const LOWEST = 20_000
const HIGHEST = 32_000

/**
 * A port of 127.0.0.1 on which nothing listens at this moment.
 *
 * @param wanted is taken if it is free.
 */
export async function choosePort(wanted?: number): Promise<number> {
  if (wanted !== undefined && (await isFree(wanted))) return wanted
  for (let tries = 0; tries < 1000; tries += 1) {
    const port = randomInt(LOWEST, HIGHEST)
    if (await isFree(port)) return port
  }
  throw new Error(`No free TCP port was found from ${LOWEST} to ${HIGHEST}`)
}

/** @throws the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOTFOUND) if nobody can listen there. */
export async function tryToListen(port: number, host: string): Promise<void> {
  const server = createServer()
  server.listen({ port, host, exclusive: true })
  await once(server, 'listening')
  server.close()
  await once(server, 'close')
}

async function isFree(port: number): Promise<boolean> {
  return tryToListen(port, '127.0.0.1').then(
    () => true,
    () => false,
  )
}
