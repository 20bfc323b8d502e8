/** The queue of segments: its job contract, and one factory for its two homes, Redis or the service's own PostgreSQL. */
import {
  type BackendFactory,
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
import { createQuietErrorLog, describeError } from './quiet-errors.ts'
import { settlesWithin, within } from './within.ts'

/** A job's data: keys only. What they mean is looked up in PostgreSQL. */
export interface SegmentJob {
  /** The record's key, a decimal bigint. */
  readonly recordKey: string
  readonly seq: number
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
  add(jobs: readonly SegmentJob[]): Promise<void>
  /** Removes the jobs that wait; those that run, and those that do not exist, are left alone. */
  remove(jobs: readonly SegmentJob[]): Promise<void>
  counts(): Promise<JobCounts>
  /** Rejects within about 2 s if the queue is away. */
  ping(): Promise<void>
  close(): Promise<void>
  /** For the dashboard only. */
  readonly bull: Queue
}

const DEFAULT_NAME = 'segments'
const SCHEMA = 'bullmq'
const ANSWER_TIMEOUT_MS = 2_000
const CONNECT_TIMEOUT_MS = 5_000
const JOBS_PER_COMMAND = 1_000
const MAX_RECORD_KEY = 2n ** 63n - 1n
const MAX_SEQ = 2 ** 31 - 1

// A job that ended must leave nothing behind, because an id that still exists is silently not added again; and how
// often a segment is tried is PostgreSQL's to say. As the queue's defaults they hold for jobs of the dashboard too.
const jobOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true }

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
  const reportError = createQuietErrorLog(options.log, 'The queue has trouble')
  const redis = options.redisUrl === undefined ? undefined : openProducer(options.redisUrl, reportError)
  const connect = redis === undefined ? postgresBackend(options.databaseUrl, 4) : redisBackend(redis)
  const bull = makeQueue(options.name ?? DEFAULT_NAME, connect)
  bull.on('error', reportError)

  async function close(): Promise<void> {
    await settlesWithin(ANSWER_TIMEOUT_MS, bull.close())
    redis?.disconnect()
  }

  /** A client that is not connected would hold some commands back, or for ever: it is not asked at all. */
  async function ask<T>(work: () => Promise<T>): Promise<T> {
    if (redis !== undefined && redis.status !== 'ready') {
      throw new Error(`The queue is away: Redis is ${redis.status}`)
    }
    return await within(ANSWER_TIMEOUT_MS, 'The queue', work())
  }

  const ready = bull.waitUntilReady()
  if (redis !== undefined) {
    await settlesWithin(ANSWER_TIMEOUT_MS, ready)
  } else {
    try {
      await ready
    } catch (error) {
      await close()
      throw new Error(`The queue in PostgreSQL cannot be opened: ${describeError(error)}`, { cause: error })
    }
  }

  return {
    bull,
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
      const counts = await ask(() =>
        bull.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed'),
      )
      const { waiting = 0, prioritized = 0, active = 0, delayed = 0, failed = 0 } = counts
      return { waiting: waiting + prioritized, active, delayed, failed }
    },
    async ping() {
      await ask(() => bull.isPaused()) // the cheapest question that both backends carry to their server
    },
  }
}

/** What a BullMQ Worker needs to take jobs off the same queue. Opens nothing before the Worker is made. */
export function workerBackend(options: QueueOptions): {
  name: string
  connect: BackendFactory<IQueueBackend>
} {
  const name = options.name ?? DEFAULT_NAME
  if (options.redisUrl === undefined) return { name, connect: postgresBackend(options.databaseUrl, 2) }
  return { name, connect: redisWorkerBackend(options.redisUrl) }
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

function toBullJob(job: SegmentJob) {
  return {
    name: 'segment',
    data: { recordKey: job.recordKey, seq: job.seq },
    opts: { ...jobOptions, jobId: jobIdOf(job) },
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

/** Redis for producers: everything fails fast, nothing is queued in memory, and a silent host is given up. */
function openProducer(url: string, onError: (error: unknown) => void): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: ANSWER_TIMEOUT_MS,
    connectTimeout: ANSWER_TIMEOUT_MS,
    socketTimeout: 2 * ANSWER_TIMEOUT_MS,
    retryStrategy,
  })
  redis.on('error', onError)
  return redis
}

function redisBackend(redis: Redis): BackendFactory<IQueueBackend> {
  return (name, opts, role) => createRedisBackend(name, { ...opts, connection: redis }, role)
}

/** Redis for workers: commands wait until it is back (BullMQ asks for that), but not on a host that went silent. */
function redisWorkerBackend(url: string): BackendFactory<IQueueBackend> {
  const connection = {
    url,
    maxRetriesPerRequest: null,
    connectTimeout: ANSWER_TIMEOUT_MS,
    socketTimeout: 15_000, // longer than the longest blocking read of BullMQ, 10 s
    retryStrategy,
  }
  return (name, opts, role) => createRedisBackend(name, { ...opts, connection }, role)
}

function retryStrategy(times: number): number {
  return Math.min(times * 100, 2_000)
}

/** @param max connections of its pool; a worker opens one more to LISTEN on. Idle ones are closed after 10 s. */
function postgresBackend(databaseUrl: string, max: number): BackendFactory<IQueueBackend> {
  const url = new URL(databaseUrl)
  const urlOptions = url.searchParams.get('options')
  url.searchParams.delete('options') // what the URL says would replace the search_path that BullMQ adds
  const connection = {
    connectionString: url.href,
    ...(urlOptions === null ? {} : { options: urlOptions }),
    schema: SCHEMA,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: 10_000,
    keepAlive: true,
    application_name: 'wavemill queue',
  }
  return (name, opts, role) => {
    const backend = createPostgresBackend(name, { ...opts, connection }, role)
    // After an error BullMQ waits for a NOTIFY as long as it may, here an hour, and one may be missed.
    Object.defineProperty(backend, 'maximumBlockTimeout', { value: 10 })
    return backend
  }
}
