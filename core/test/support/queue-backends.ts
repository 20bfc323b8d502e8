/** The two homes of the queue, as one shape, so that one suite runs on both. */
import { Redis } from 'ioredis'
import pg from 'pg'
import { type CuttableProxy, startProxy } from '../../../test/support/cuttable-proxy.ts'
import { createTestDatabase } from '../../../test/support/database.ts'
import { startRedis } from '../../../test/support/redis.ts'
import { missing } from '../../../test/support/requirement.ts'

/** Where a queue lies: what its factories take, besides a name and a log. */
interface QueueHome {
  readonly databaseUrl: string
  readonly redisUrl: string | undefined
}

/** A running server, and what tests do to it behind the queue's back. */
export interface TestBackend extends QueueHome {
  /** The same server by way of a proxy of the test's own. */
  proxied(options?: { cut?: boolean }): Promise<QueueHome & { readonly proxy: CuttableProxy }>
  /** Everything that the server still holds of a job: rows, or keys with its id. */
  tracesOf(queueName: string, jobId: string): Promise<number>
  /** Takes the lock of a running job away, as if it had run out while the machine slept. */
  dropLock(queueName: string, jobId: string): Promise<void>
  /** Loses every job of every queue: FLUSHALL. */
  loseEverything(): Promise<void>
  /** Makes the server answer with errors whenever a job is to be fetched, until `mend`. */
  refuseFetching(): Promise<void>
  mend(): Promise<void>
  stop(): Promise<void>
}

export interface BackendKind {
  readonly name: 'PostgreSQL' | 'Redis'
  start(): Promise<TestBackend>
}

/** The backends that this machine has; where redis-server is missing, that is said loudly. */
export function availableBackends(): BackendKind[] {
  const kinds: BackendKind[] = [{ name: 'PostgreSQL', start: startOnPostgres }]
  if (!missing('redis-server')) kinds.push({ name: 'Redis', start: startOnRedis })
  return kinds
}

async function startOnPostgres(): Promise<TestBackend> {
  const database = await createTestDatabase()
  const client = new pg.Client({ connectionString: database.url, options: '-c search_path=bullmq' })
  await client.connect()
  return {
    databaseUrl: database.url,
    redisUrl: undefined,
    async proxied(options) {
      const proxy = await startProxy(database.url, options)
      return { proxy, databaseUrl: proxy.url, redisUrl: undefined }
    },
    async tracesOf(queueName, jobId) {
      const found = await client.query('SELECT 1 FROM job WHERE queue = $1 AND id = $2', [queueName, jobId])
      return found.rowCount ?? 0
    },
    async dropLock(queueName, jobId) {
      const set = 'SET lock_token = NULL, locked_until_ms = 0'
      await client.query(`UPDATE job ${set} WHERE queue = $1 AND id = $2`, [queueName, jobId])
    },
    async loseEverything() {
      await client.query('TRUNCATE job, meta, event CASCADE')
    },
    async refuseFetching() {
      await client.query('ALTER TABLE job RENAME TO lost_job')
    },
    async mend() {
      await client.query('ALTER TABLE lost_job RENAME TO job')
    },
    async stop() {
      await client.end()
      await database.drop()
    },
  }
}

async function startOnRedis(): Promise<TestBackend> {
  const server = await startRedis()
  const client = new Redis(server.url)
  // A queue on Redis must not need the database: nothing listens there.
  const databaseUrl = 'postgres://nobody@127.0.0.1:1/none'
  return {
    databaseUrl,
    redisUrl: server.url,
    async proxied(options) {
      const proxy = await startProxy(server.url, options)
      return { proxy, databaseUrl, redisUrl: proxy.url }
    },
    async tracesOf(queueName, jobId) {
      const keys = await client.keys(`bull:${queueName}:${jobId}*`)
      const lists = ['wait', 'active']
      const sets = ['completed', 'failed', 'delayed', 'prioritized']
      const inLists = await Promise.all(lists.map((list) => client.lpos(`bull:${queueName}:${list}`, jobId)))
      const inSets = await Promise.all(sets.map((set) => client.zscore(`bull:${queueName}:${set}`, jobId)))
      return keys.length + [...inLists, ...inSets].filter((found) => found !== null).length
    },
    async dropLock(queueName, jobId) {
      await client.del(`bull:${queueName}:${jobId}:lock`)
    },
    async loseEverything() {
      await client.flushall()
    },
    async refuseFetching() {
      await client.config('SET', 'maxmemory', '1')
    },
    async mend() {
      await client.config('SET', 'maxmemory', '0')
    },
    async stop() {
      client.disconnect()
      await server.stop()
    },
  }
}
