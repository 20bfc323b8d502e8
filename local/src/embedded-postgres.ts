/** Runs a PostgreSQL of our own from its npm package: in a data folder, on 127.0.0.1, behind a generated password. */
import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@wavemill/core/log'
import { type DataFolder, keepSecret, openDataFolder, readIfThere, writePrivately } from './data-folder.ts'
import { choosePort } from './free-port.ts'
import { stopLeftoverPostgres } from './leftover-postgres.ts'
import { choosePostgresAccount } from './postgres-account.ts'
import { findPostgresBinaries } from './postgres-binaries.ts'
import { makeDatabase } from './postgres-initdb.ts'
import { reachableBinaries } from './postgres-place.ts'
import { launchPostgres, type PostgresProcess } from './postgres-process.ts'

const SUPERUSER = 'wavemill'
const PATIENCE_MS = 30_000
const LOG_LIMIT_BYTES = 10 * 1_048_576

/** Reasons of a failed start that pass: the port was taken a moment ago, or processes of a killed server are still ending. */
const passing = /could not bind|shared memory block|lock file "postmaster.pid" already exists/

export interface EmbeddedPostgres extends PostgresProcess {
  /** Of the superuser, with the password. */
  readonly url: string
  readonly port: number
}

export interface EmbeddedPostgresOptions {
  /** DATA_DIR: the database is the folder `postgres` in it, and its log `postgres.log`. */
  readonly dataDir: string
  readonly log: Log
  /** Without it the last one is used again if it is free, otherwise any. */
  readonly port?: number
  /** Gives up a start that is under way. */
  readonly signal?: AbortSignal
}

/**
 * Starts it, and makes the database at the first start. A server that an earlier process left running is stopped first:
 * the caller makes sure that nobody else uses the data folder.
 *
 * @throws Error with what PostgreSQL printed.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, port, signal = new AbortController().signal } = options
  const folder = await openDataFolder(options.dataDir)
  const account = await choosePostgresAccount(folder.postgres)
  const binaries = await reachableBinaries(await findPostgresBinaries(), account, log)
  const password = await preparePassword(folder)
  if (!(await hasDatabase(folder))) {
    log.info('Making the database')
    await makeDatabase(folder.postgres, { user: SUPERUSER, password, binaries, account, log })
  }
  await stopLeftoverPostgres(folder.postgres, log)
  await rotateLog(folder.postgresLog)

  const launch = { dataPath: folder.postgres, logPath: folder.postgresLog, binaries, account, log, signal }
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const chosen = port ?? (await choosePort(await lastPort(folder)))
    try {
      const server = await launchPostgres({ ...launch, port: chosen })
      const url = `postgres://${SUPERUSER}:${password}@127.0.0.1:${chosen}/postgres`
      await writePrivately(folder.databaseUrl, url)
      return { ...server, url, port: chosen }
    } catch (error) {
      if (signal.aborted || Date.now() > deadline || !isPassing(error)) throw error
      await sleep(300)
    }
  }
}

/** True once a start has made the database. */
export async function hasDatabase(folder: DataFolder): Promise<boolean> {
  return (await readIfThere(join(folder.postgres, 'PG_VERSION'))) !== undefined
}

async function preparePassword(folder: DataFolder): Promise<string> {
  const { secret, isNew } = await keepSecret(folder.postgresPassword)
  if (!isNew || !(await hasDatabase(folder))) return secret
  await rm(folder.postgresPassword)
  throw new Error(`The database's password is gone: ${folder.postgresPassword} must be put back`)
}

function isPassing(error: unknown): boolean {
  return error instanceof Error && passing.test(error.message)
}

/** So that a tool which was told the address once finds the database there again. */
async function lastPort(folder: DataFolder): Promise<number | undefined> {
  // It may be unreadable: root, who started last, is its owner. It is written anew at each start.
  const url = await readIfThere(folder.databaseUrl).catch(() => undefined)
  return url !== undefined && URL.canParse(url) ? Number(new URL(url).port) : undefined
}

async function rotateLog(path: string): Promise<void> {
  const size = await stat(path).then(
    (file) => file.size,
    () => 0,
  )
  if (size > LOG_LIMIT_BYTES) await rename(path, `${path}.old`)
}
