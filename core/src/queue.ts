/** The queue of segments: its job contract, and one factory for its two homes, Redis or the service's own PostgreSQL. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type BackendFactory,
  type ConnectionOptions,
  createPostgresBackend,
  createRedisBackend,
  type IQueueBackend,
  Queue,
  runMigrations,
  setDefaultBackendFactory,
} from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import type { Log } from './log.ts'
import {
  ANSWER_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  postgresConnection,
  redisSender,
  redisWorker,
} from './queue-connections.ts'
import { createQuietErrorLog, describeError } from './quiet-errors.ts'
import { settlesWithin, within } from './within.ts'

/** A job's data: keys only. What they mean is looked up in PostgreSQL. */
export interface SegmentJob {
  /** The record's key, a decimal bigint. */
  readonly recordKey: string
  readonly seq: number
}

/** A job to be added. */
export interface NewJob extends SegmentJob {
  /** The lower the sooner, 1..{@link LAST_ROUND}; equals in the order in which they were added. @defaultValue 1 */
  readonly priority?: number
}

export interface QueueOptions {
  /** Holds the queue, in a schema of its own, where `redisUrl` is undefined. */
  readonly databaseUrl: string
  readonly redisUrl: string | undefined
  /** @defaultValue `segments` */
  readonly name?: string
  readonly log: Log
}

export interface JobCounts {
  readonly waiting: number
  readonly active: number
  readonly delayed: number
  readonly failed: number
}

/** The sending end. Nothing that is lost here is lost: the reconciler adds what PostgreSQL says is missing. */
export interface SegmentQueue {
  /** Adds jobs; one that already waits or runs is left as it is. Rejects within about 2 s if the queue is away. */
  add(jobs: readonly NewJob[]): Promise<void>
  /** Removes the jobs that wait; those that run, and those that do not exist, are left alone. */
  remove(jobs: readonly SegmentJob[]): Promise<void>
  counts(): Promise<JobCounts>
  /** Rejects within about 2 s if the queue is away. */
  ping(): Promise<void>
  close(): Promise<void>
  /** For the dashboard only. */
  readonly bull: Queue
  /** The connection to Redis, where the queue lives there; it fails fast while Redis is away. */
  readonly redis: Redis | undefined
}

const DEFAULT_NAME = 'segments'
const SCHEMA = 'bullmq'
const ERROR_PAUSE_MS = 500
const JOBS_PER_COMMAND = 1_000
const MAX_RECORD_KEY = 2n ** 63n - 1n
const MAX_SEQ = 2 ** 31 - 1

// A job that ended must leave nothing behind, because an id that still exists is silently not added again; and how
// often a segment is tried is PostgreSQL's to say. A job without a priority would overtake all that have one. As the
// queue's defaults they hold for jobs of the dashboard too.
const jobOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true, priority: 1 }

/** The id of a segment's job, the same for each attempt (docs/decisions/0010-job-ids.md). */
export function jobIdOf(job: SegmentJob): string {
  return `r${job.recordKey}-s${job.seq}`
}

/** Reads a job's data, which is untrusted: the dashboard can add and edit jobs. Undefined if it names no segment. */
export function parseSegmentJob(data: unknown): SegmentJob | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  if (!('recordKey' in data) || !('seq' in data)) return undefined
  const { recordKey, seq } = data
  if (typeof recordKey !== 'string' || !/^[1-9]\d{0,18}$/.test(recordKey)) return undefined
  if (BigInt(recordKey) > MAX_RECORD_KEY) return undefined
  if (typeof seq !== 'number' || !Number.isInteger(seq) || seq < 0 || seq > MAX_SEQ) return undefined
  return { recordKey, seq }
}

/**
 * Opens the sending end of the queue.
 *
 * With Redis it opens also while Redis is away, and adds as soon as it is there. With PostgreSQL the database must
 * answer and be migrated: BullMQ remembers a failed start for ever, so a queue that could not start is not handed out.
 *
 * @throws Error if the queue lives in PostgreSQL and that is away, or has no queue schema.
 */
export async function openSegmentQueue(options: QueueOptions): Promise<SegmentQueue> {
  const { bull, redis, ask, close } = await connectQueue(options)
  return {
    bull,
    redis,
    close,
    async add(jobs) {
      for (let start = 0; start < jobs.length; start += JOBS_PER_COMMAND) {
        const batch = jobs.slice(start, start + JOBS_PER_COMMAND).map(toBullJob)
        await ask(() => bull.addBulk(batch))
      }
    },
    async remove(jobs) {
      for (const job of jobs) await ask(() => bull.remove(jobIdOf(job)))
    },
    async counts() {
      const counts = await ask(() => bull.getJobCounts('prioritized', 'active', 'delayed', 'failed'))
      // The count of 'waiting' itself is 0 on PostgreSQL, not on Redis, while the queue is paused at the dashboard.
      const { 0: plain = 0 } = await ask(() => bull.getCountsPerPriority([0]))
      const { prioritized = 0, active = 0, delayed = 0, failed = 0 } = counts
      return { waiting: plain + prioritized, active, delayed, failed }
    },
    async ping() {
      await ask(() => bull.isPaused()) // the cheapest question that both backends carry to their server
    },
  }
}

interface ConnectedQueue {
  readonly bull: Queue
  readonly redis: Redis | undefined
  /** Asks the queue's server; rejects after ANSWER_TIMEOUT_MS. */
  ask<T>(work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

async function connectQueue({ redisUrl, databaseUrl, name, log }: QueueOptions): Promise<ConnectedQueue> {
  const redis = redisUrl === undefined ? undefined : new Redis(redisUrl, redisSender)
  const connect = redis === undefined ? postgresBackend(databaseUrl, 4) : redisBackend(redis)
  const bull = makeQueue(name ?? DEFAULT_NAME, connect)
  bull.on('error', createQuietErrorLog(log, 'The queue has trouble')) // also what the Redis client says

  async function ask<T>(work: () => Promise<T>): Promise<T> {
    // BullMQ would keep the question until Redis is there for the first time.
    if (redis !== undefined && redis.status !== 'ready') {
      throw new Error(`The queue is away: Redis is ${redis.status}`)
    }
    return await within(ANSWER_TIMEOUT_MS, 'The queue', work())
  }
  async function close(): Promise<void> {
    const isClosed = await settlesWithin(ANSWER_TIMEOUT_MS / 2, bull.close())
    if (!isClosed) await settlesWithin(ANSWER_TIMEOUT_MS / 2, bull.disconnect())
    redis?.disconnect()
  }

  const ready = bull.waitUntilReady()
  if (redis !== undefined) {
    await settlesWithin(ANSWER_TIMEOUT_MS, ready)
    return { bull, redis, ask, close }
  }
  try {
    await ready
    return { bull, redis, ask, close }
  } catch (error) {
    await close()
    throw new Error(`The queue in PostgreSQL cannot be opened: ${describeError(error)}`, { cause: error })
  }
}

/** What a BullMQ Worker needs to take jobs off the same queue. Opens nothing before the Worker is made. */
export function workerBackend(options: QueueOptions): WorkerBackend {
  const { redisUrl: url, databaseUrl, name = DEFAULT_NAME } = options
  const connect = url === undefined ? postgresBackend(databaseUrl, 2) : redisBackend({ ...redisWorker, url })
  return { name, connect: (...args) => pauseAfterErrors(connect(...args)) }
}

export interface WorkerBackend {
  /** The queue's name. */
  readonly name: string
  readonly connect: BackendFactory<IQueueBackend>
}

/** Where its server answers with errors (too many connections, out of memory), BullMQ fetches again hundreds of times a second. */
function pauseAfterErrors(backend: IQueueBackend): IQueueBackend {
  const moveToActive = backend.moveToActive.bind(backend)
  backend.moveToActive = async (...args) => {
    try {
      return await moveToActive(...args)
    } catch (error) {
      await sleep(ERROR_PAUSE_MS)
      throw error
    }
  }
  return backend
}

/** Brings the queue's own schema in PostgreSQL up to date. May be called each time, and by several at once. */
export async function migrateQueue(databaseUrl: string): Promise<void> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  })
  client.on('error', () => {}) // the query under way rejects as well
  try {
    await client.connect()
    await runMigrations(client, SCHEMA)
  } finally {
    await client.end()
  }
}

function toBullJob(job: NewJob) {
  return {
    name: 'segment',
    data: { recordKey: job.recordKey, seq: job.seq },
    opts: { ...jobOptions, jobId: jobIdOf(job), priority: job.priority ?? 1 },
  }
}

/**
 * Makes the Queue with the default factory replaced for that moment: only so does it have the type that the dashboard
 * accepts, whichever backend it has.
 */
function makeQueue(name: string, connect: BackendFactory<IQueueBackend>): Queue {
  setDefaultBackendFactory(connect)
  try {
    return new Queue(name, { connection: {}, defaultJobOptions: jobOptions, skipVersionCheck: true })
  } finally {
    setDefaultBackendFactory()
  }
}

function redisBackend(connection: ConnectionOptions): BackendFactory<IQueueBackend> {
  return (name, opts, role) => createRedisBackend(name, { ...opts, connection }, role)
}

function postgresBackend(databaseUrl: string, max: number): BackendFactory<IQueueBackend> {
  return (name, opts, role) => {
    const { config, destroy } = postgresConnection(databaseUrl, max)
    const backend = createPostgresBackend(name, { ...opts, connection: { ...config, schema: SCHEMA } }, role)
    // After an error BullMQ waits for a NOTIFY for as long as it may, here an hour, and one may be missed.
    Object.defineProperty(backend, 'maximumBlockTimeout', { value: 10 })
    // By itself it asks a server that is away for its goodbye.
    const disconnect = backend.disconnect.bind(backend)
    backend.disconnect = () => {
      destroy()
      return disconnect()
    }
    return backend
  }
}
