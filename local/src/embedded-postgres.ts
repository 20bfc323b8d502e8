/** Starts and ends the PostgreSQL that `npm start` and the tests bring along. */
import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@wavemill/core/log'
import { isDatabaseAway } from '@wavemill/prisma/database-away'
import { type ServiceLock, takeServiceLock } from '@wavemill/prisma/service-lock'
import { type Cluster, clusterUrl, commandFor, createCluster, findCluster } from './cluster.ts'
import { claimPort } from './free-port.ts'
import { findPostgresBinaries } from './postgres-binaries.ts'
import { endServer, findRunningServer } from './server-process.ts'
import { chooseServerAccount, type ServerAccount } from './unprivileged.ts'

export interface EmbeddedPostgres {
  /** With the password in it: never for a log. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** A fast shutdown; resolves when the server is gone. */
  stop(): Promise<void>
  /** Resolves when the server has ended, whoever ended it. */
  readonly exited: Promise<void>
}

export interface EmbeddedPostgresOptions {
  /** Holds the cluster, its password and the server's log; made if it does not exist. */
  readonly dataDir: string
  readonly log: Log
  /** @defaultValue a free one */
  readonly port?: number
}

const START_TIMEOUT_MS = 60_000
const MAX_LOG_BYTES = 16 * 1_048_576

/** Thrown where another process serves the same folder. */
export class AlreadyRunningError extends Error {
  constructor(dataDir: string) {
    super(`Another Wavemill runs on ${dataDir}: stop it first, or choose another DATA_DIR.`)
    this.name = 'AlreadyRunningError'
  }
}

/**
 * Starts the server on 127.0.0.1. The first start makes the cluster; a server that a killed start left behind is ended first.
 *
 * @throws AlreadyRunningError if another process serves this folder; Error with the server's own words if it does not start.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir)
  const account = await chooseServerAccount(dataDir, await findPostgresBinaries())
  if (account.folder !== dataDir)
    options.log.info({ folder: account.folder }, 'PostgreSQL keeps its data here')
  const cluster = (await findCluster(account.folder)) ?? (await createCluster(account))
  await endLeftOver(cluster, dataDir, options.log)
  const port = options.port ?? (await claimPort('127.0.0.1', 0))
  return await startServer(account, cluster, port)
}

/** The address of the server that runs on this folder now; undefined if none does. */
export async function findEmbeddedPostgres(dataDir: string): Promise<string | undefined> {
  const { folder } = await chooseServerAccount(resolve(dataDir), await findPostgresBinaries())
  const cluster = await findCluster(folder)
  const server = cluster === undefined ? undefined : await findRunningServer(cluster.path)
  return cluster === undefined || server === undefined ? undefined : clusterUrl(cluster, server.port)
}

/** Whoever serves a folder holds the service lock in it: a server whose lock is free was left behind. */
async function endLeftOver(cluster: Cluster, dataDir: string, log: Log): Promise<void> {
  const server = await findRunningServer(cluster.path)
  if (server === undefined) return
  let lock: ServiceLock | undefined
  try {
    lock = await takeServiceLock(clusterUrl(cluster, server.port))
  } catch (error) {
    if (!isDatabaseAway(error)) throw error
    log.debug({ err: error }, 'The server that was left behind does not answer')
    await endServer(server.pid)
    return
  }
  if (lock === undefined) throw new AlreadyRunningError(dataDir)
  log.info({ pid: server.pid }, 'A PostgreSQL that an earlier start left behind is stopped')
  await lock.release()
  await endServer(server.pid)
}

async function startServer(
  account: ServerAccount,
  cluster: Cluster,
  port: number,
): Promise<EmbeddedPostgres> {
  const logPath = join(account.folder, 'server.log')
  const child = await spawnServer(account, cluster, port, logPath)
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const url = clusterUrl(cluster, port)
  const lock = await waitForLock(url, child, exited)
  if (lock === undefined || child.pid === undefined) {
    if (child.pid !== undefined) await endServer(child.pid)
    throw new Error(`PostgreSQL did not start. The end of ${logPath}:\n${await tail(logPath)}`)
  }
  const { pid } = child
  return {
    url,
    port,
    pid,
    exited,
    async stop() {
      await lock.release()
      await endServer(pid)
      await exited
    },
  }
}

/** Its output goes to a file, so that a server which outlives us has somewhere to write. */
async function spawnServer(
  account: ServerAccount,
  cluster: Cluster,
  port: number,
  logPath: string,
): Promise<ChildProcess> {
  const size = await stat(logPath).then(
    (file) => file.size,
    () => 0,
  )
  const output = await open(logPath, size > MAX_LOG_BYTES ? 'w' : 'a', 0o600)
  try {
    const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=']
    const args = ['-D', cluster.path, ...settings.flatMap((setting) => ['-c', setting])]
    const { command, args: all, options } = commandFor(account, account.binaries.postgres, args)
    // A session of its own: Ctrl-C is for us, and we end the server last.
    const stdio: ['ignore', number, number] = ['ignore', output.fd, output.fd]
    return spawn(command, all, { ...options, detached: true, stdio })
  } finally {
    await output.close()
  }
}

/** @returns undefined if the server ends, or does not take connections in time. */
async function waitForLock(
  url: string,
  child: ChildProcess,
  exited: Promise<void>,
): Promise<ServiceLock | undefined> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    try {
      return await takeServiceLock(url)
    } catch (error) {
      if (!isDatabaseAway(error)) throw error
    }
    await Promise.race([sleep(50), exited])
  }
  return undefined
}

async function tail(path: string): Promise<string> {
  const content = await readFile(path, 'utf8').catch(() => '')
  return content.trim().split('\n').slice(-5).join('\n')
}
