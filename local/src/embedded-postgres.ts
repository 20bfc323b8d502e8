/** Runs a PostgreSQL of our own from its npm package: in a data folder, on 127.0.0.1, behind a generated password. */
import { rename, stat } from 'node:fs/promises'
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
import { launchPostgres } from './postgres-process.ts'

const SUPERUSER = 'wavemill'
const PATIENCE_MS = 30_000
const LOG_LIMIT_BYTES = 10 * 1_048_576

/** Reasons of a failed start that pass: the port was taken a moment ago, or processes of a killed server are still ending. */
const passing = /could not bind|shared memory block|lock file "postmaster.pid" already exists/

export interface EmbeddedPostgres {
  /** Of the superuser, with the password. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** A fast shutdown, then a harder one; resolves when the server has ended. */
  stop(): Promise<void>
  /** Resolves when the server has ended, by itself or by `stop`, with how. */
  readonly exited: Promise<string>
}

/**
 * Starts it, and makes the database at the first start. A server that an earlier process left running is stopped first:
 * the caller makes sure that nobody else uses the data folder.
 *
 * @param options.dataDir DATA_DIR; the database is the folder `postgres` in it, and its log `postgres.log`.
 * @param options.port without it the last one is used again if it is free, otherwise any.
 * @throws Error with what PostgreSQL printed.
 */
export async function startEmbeddedPostgres(options: {
  dataDir: string
  log: Log
  port?: number
}): Promise<EmbeddedPostgres> {
  const { log } = options
  const folder = await openDataFolder(options.dataDir)
  const account = await choosePostgresAccount(folder.postgres)
  const binaries = await reachableBinaries(await findPostgresBinaries(), account, log)
  await rotateLog(folder.postgresLog)
  const { secret } = await keepSecret(folder.postgresPassword)
  if ((await readIfThere(join(folder.postgres, 'PG_VERSION'))) === undefined) {
    log.info('Making the database')
    await makeDatabase(folder.postgres, { user: SUPERUSER, password: secret, binaries, account, log })
  }
  await stopLeftoverPostgres(folder.postgres, log)

  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const port = options.port ?? (await choosePort(await lastPort(folder)))
    try {
      const server = await launchPostgres({
        dataPath: folder.postgres,
        logPath: folder.postgresLog,
        port,
        binaries,
        account,
        log,
      })
      const url = `postgres://${SUPERUSER}:${secret}@127.0.0.1:${port}/postgres`
      await writePrivately(folder.databaseUrl, url)
      return { ...server, url, port }
    } catch (error) {
      if (Date.now() > deadline || !(error instanceof Error && passing.test(error.message))) throw error
      await sleep(300)
    }
  }
}

/** So that a tool which was told the address once finds the database there again. */
async function lastPort(folder: DataFolder): Promise<number | undefined> {
  const url = await readIfThere(folder.databaseUrl)
  return url !== undefined && URL.canParse(url) ? Number(new URL(url).port) : undefined
}

async function rotateLog(path: string): Promise<void> {
  const size = await stat(path).then(
    (file) => file.size,
    () => 0,
  )
  if (size > LOG_LIMIT_BYTES) await rename(path, `${path}.old`)
}
