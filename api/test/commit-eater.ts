/** A proxy in front of PostgreSQL that lets one COMMIT through and loses its answer: was it committed or not? */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface CommitEater {
  readonly url: string
  /** The next COMMIT reaches the server; its connection breaks before the answer. Resolves when that has happened. */
  eatOne(): Promise<void>
  stop(): Promise<void>
}

export async function startCommitEater(serverUrl: string): Promise<CommitEater> {
  const target = new URL(serverUrl)
  const sockets = new Set<Socket>()
  let onEaten: (() => void) | undefined

  const server = createServer((client) => {
    const upstream = connect({ port: Number(target.port), host: target.hostname })
    let eating: (() => void) | undefined
    client.on('data', (bytes) => {
      // A simple query: 'Q', its length, its text, NUL.
      if (onEaten !== undefined && bytes.toString('latin1').startsWith('COMMIT\0', 5)) {
        eating = onEaten
        onEaten = undefined
      }
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      if (eating === undefined) return void client.write(bytes)
      client.destroy()
      upstream.destroy()
      eating()
    })
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {}) // 'close' follows
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = new URL(serverUrl)
  url.hostname = '127.0.0.1'
  url.port = typeof address === 'object' && address !== null ? String(address.port) : ''
  return {
    url: url.href,
    eatOne: () =>
      new Promise((resolve) => {
        onEaten = resolve
      }),
    async stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
