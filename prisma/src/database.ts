/** Opens the database: Prisma and two pools of connections, which nobody else makes. */

import { PrismaPg } from '@prisma/adapter-pg'
import type { Log } from '@wavemill/core/log'
import { createQuietErrorLog } from '@wavemill/core/quiet-errors'
import { createSharedReads, type SharedReads } from '@wavemill/core/share-reads'
import pg from 'pg'
import { PrismaClient } from './generated/client.ts'
import { createWindowBudget, type WindowBudget } from './window-budget.ts'

const DOWNLOAD_CONNECTIONS = 4
/** Where many download at once, each has to wait its turn; that is no outage. */
const DOWNLOAD_TURN_TIMEOUT_MS = 30_000

export interface Database {
  /** Ordinary reads and writes; it uses `pool`. */
  readonly prisma: PrismaClient
  /** Raw SQL: fenced statements, locks, lists. */
  readonly pool: pg.Pool
  /** Downloads only, so that they cannot starve the rest. */
  readonly copyPool: pg.Pool
  /** What downloads may hold in memory. */
  readonly windows: WindowBudget
  /** What downloads that ask at the same time read together. */
  readonly sharedWindows: SharedReads<Buffer[]>
  close(): Promise<void>
}

export interface DatabaseOptions {
  readonly url: string
  /** What `pg_stat_activity` calls the process. */
  readonly applicationName: string
  readonly log: Log
  /** Connections at most, those of downloads not counted; 10 unless told. */
  readonly poolSize?: number
}

/** Connects nothing yet: the first query does. The caller closes it. */
export function openDatabase(options: DatabaseOptions): Database {
  const report = createQuietErrorLog(options.log, 'A database connection broke')
  const open = (max: number, config: pg.PoolConfig = {}) => {
    const pool = new pg.Pool({
      ...connectionConfig(options.url),
      ...config,
      max,
      application_name: options.applicationName,
    })
    pool.on('error', report) // an idle connection that breaks; without a listener it would end the process
    pool.on('connect', (client) => client.on('error', report)) // one that breaks while it is lent out
    return pool
  }
  const pool = open(options.poolSize ?? 10)
  const copyPool = open(DOWNLOAD_CONNECTIONS, {
    query_timeout: 0, // see readCopiedBytes, which has its own
    connectionTimeoutMillis: DOWNLOAD_TURN_TIMEOUT_MS,
  })
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool), errorFormat: 'minimal' })
  return {
    prisma,
    pool,
    copyPool,
    windows: createWindowBudget(),
    sharedWindows: createSharedReads(),
    async close() {
      await prisma.$disconnect()
      await Promise.all([pool.end(), copyPool.end()])
    },
  }
}

/**
 * What every connection is opened with. TimeZone: adapter-pg reads and writes timestamps without an offset.
 * The timeouts are the server's own, so that also a stopped process (SIGSTOP, a frozen machine) holds no lock for long.
 */
export function connectionConfig(url: string): pg.ClientConfig {
  const session = [
    '-c TimeZone=UTC',
    '-c statement_timeout=60s',
    '-c idle_in_transaction_session_timeout=10s',
  ]
  const connection = new URL(url)
  const given = connection.searchParams.get('options') // would win over ours
  connection.searchParams.set('options', [given, ...session].filter((option) => option !== null).join(' '))
  return {
    connectionString: connection.href,
    connectionTimeoutMillis: 5000,
    query_timeout: 65_000, // a server that fell silent; one that answers has given up before
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  }
}
