/** How the queue connects to Redis and to PostgreSQL: settings under which nothing waits for ever for a server that is away. */
import { Socket } from 'node:net'

/** No question to the queue takes longer. */
export const ANSWER_TIMEOUT_MS = 2_000
/** To connect may take longer: PostgreSQL starts a process for each connection. */
export const CONNECT_TIMEOUT_MS = 5_000

/** For senders: everything fails fast, and nothing is kept in memory to be sent later. */
export const redisSender = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  commandTimeout: ANSWER_TIMEOUT_MS,
  connectTimeout: ANSWER_TIMEOUT_MS,
  socketTimeout: 2 * ANSWER_TIMEOUT_MS, // a host that is gone without a word: connect anew
  retryStrategy: retryDelayMs,
}

/** For workers: commands wait until Redis is back (BullMQ demands it), but not on a host that is gone without a word. */
export const redisWorker = {
  maxRetriesPerRequest: null,
  connectTimeout: ANSWER_TIMEOUT_MS,
  socketTimeout: 15_000, // longer than BullMQ's longest blocking read, 10 s
  retryStrategy: retryDelayMs,
}

function retryDelayMs(times: number): number {
  return Math.min(times * 100, 2_000)
}

export interface PostgresConnection {
  /** What BullMQ makes its pool and its LISTEN connection from. */
  readonly config: {
    readonly connectionString: string
    readonly max: number
    readonly [setting: string]: unknown
  }
  /** Breaks all connections: a goodbye to a server that is silent would be waited for, and keep the process alive. */
  destroy(): void
}

/** @param max connections of the pool; a worker opens one more, to LISTEN on. Idle ones are closed after 10 s. */
export function postgresConnection(databaseUrl: string, max: number): PostgresConnection {
  const url = new URL(databaseUrl)
  const options = url.searchParams.get('options')
  url.searchParams.delete('options') // in the URL they would replace the search_path that BullMQ adds
  const sockets = new Set<Socket>()
  const config = {
    connectionString: url.href,
    ...(options !== null && { options }),
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: 2 * CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'wavemill queue',
    stream() {
      const socket = new Socket()
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      return socket
    },
  }
  return {
    config,
    destroy() {
      for (const socket of sockets) socket.destroy()
    },
  }
}
