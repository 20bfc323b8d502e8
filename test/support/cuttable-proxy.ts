/** A TCP proxy in front of a server of a test, to make that server go away, fall silent, grow slow, and come back. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './ports.ts'

export interface CuttableProxy {
  /** The server's URL, by way of the proxy. */
  readonly url: string
  /** Breaks every connection and refuses new ones, as a server that was stopped. */
  cut(): Promise<void>
  /** Accepts and keeps connections, but carries nothing, as a host that is gone without a word. */
  silence(): void
  /** From now on whatever the server sends arrives so much later, in the same order. */
  slow(delayMs: number): void
  /** Ends `cut`, `silence` and `slow`; what a silenced connection had sent arrives late. */
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
  let delayMs = 0

  function carry(from: Socket, to: Socket, inTurn: (work: () => void) => void): void {
    sockets.add(from)
    from.on('data', (bytes) => inTurn(() => to.write(bytes)))
    from.on('end', () => inTurn(() => to.end()))
    from.on('error', () => {}) // 'close' follows
    from.on('close', () => {
      sockets.delete(from)
      inTurn(() => to.destroy())
    })
    if (silent) from.pause()
  }
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port: Number(target.port), host: target.hostname, allowHalfOpen: true })
    carry(client, upstream, (work) => work())
    carry(
      upstream,
      client,
      createDelay(() => delayMs),
    )
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
    slow(ms) {
      delayMs = ms
    },
    async restore() {
      silent = false
      delayMs = 0
      for (const socket of sockets) socket.resume()
      await listen()
    },
    stop: cut,
  }
}

/** Does one thing after the other, each so much later than it was asked for. */
function createDelay(delayMs: () => number): (work: () => void) => void {
  let waiting = 0
  let order = Promise.resolve()
  return (work) => {
    if (delayMs() === 0 && waiting === 0) {
      work()
      return
    }
    waiting += 1
    const dueAt = Date.now() + delayMs()
    order = order.then(async () => {
      await sleep(Math.max(0, dueAt - Date.now()))
      waiting -= 1
      work()
    })
  }
}
