/** Asks the operating system about TCP ports. */
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Listens for a moment.
 *
 * @param port 0: any free one.
 * @returns the port, which is free now.
 * @throws the operating system's error, such as EADDRINUSE.
 */
export async function claimPort(host: string, port: number): Promise<number> {
  const server = createServer().listen({ host, port })
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('not a TCP port')
  return address.port
}
