/** A TCP proxy in front of a server of a test, to make that server go away, fall silent, and come back. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { freePort } from './ports.ts'

export interface CuttableProxy {
  /** The server's URL, by way of the proxy. */
  readonly url: string
  /** Breaks every connection and refuses new ones, as a server that was stopped. */
  cut(): Promise<void>
  /** Accepts and keeps connections, but carries nothing, as a host that is gone without a word. */
  silence(): void
  /** Ends `cut` or `silence`; what a silenced connection had sent arrives late. */
  restore(): Promise<void>
  stop(): Promise<void>
}

/**
 * @param serverUrl any URL with a host and a port.
 * @param options.cut starts as if the server had not been started yet.
 */
export async function startProxy(serverUrl: string, options: { cut?: boolean } = {}): Promise<CuttableProxy> {
  const target = new URL(serverUrl)
  const port = await freePort()
  const sockets = new Set<Socket>()
  let silent = false

  function carry(from: Socket, to: Socket): void {
    sockets.add(from)
    from.on('data', (bytes) => to.write(bytes))
    from.on('end', () => to.end())
    from.on('error', () => {}) // 'close' follows
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
    if (silent) from.pause()
  }
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port: Number(target.port), host: target.hostname, allowHalfOpen: true })
    carry(client, upstream)
    carry(upstream, client)
  })
  async function listen(): Promise<void> {
    if (server.listening) return
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  async function cut(): Promise<void> {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }

  if (options.cut !== true) await listen()
  const url = new URL(serverUrl)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  return {
    url: url.href,
    cut,
    silence() {
      silent = true
      for (const socket of sockets) socket.pause()
    },
    async restore() {
      silent = false
      for (const socket of sockets) socket.resume()
      await listen()
    },
    stop: cut,
  }
}
