/** One run of the PostgreSQL server: from its spawn, through ready, to its end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { open, realpath } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@wavemill/core/log'
import { aborted, endOf, endWithUs } from './ended.ts'
import { readPostmasterFile, shutDown } from './leftover-postgres.ts'
import type { PostgresAccount } from './postgres-account.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'

const POLL_MS = 20
const TELL_EVERY_MS = 10_000

export interface PostgresProcess {
  /** Undefined only where it could not be spawned at all. */
  readonly pid: number | undefined
  /** A fast shutdown, then a harder one; resolves when the server has ended. */
  stop(): Promise<void>
  /** Resolves when the server has ended, by itself or by `stop`, with how. */
  readonly exited: Promise<string>
}

export interface Launch {
  readonly dataPath: string
  readonly logPath: string
  readonly port: number
  readonly binaries: PostgresBinaries
  readonly account: PostgresAccount
  readonly log: Log
  /** Gives up while it is not ready yet, and ends it. */
  readonly signal: AbortSignal
}

/** @throws Error with what it printed, if it ends before it is ready. */
export async function launchPostgres(launch: Launch): Promise<PostgresProcess> {
  const dataPath = await realpath(launch.dataPath)
  const logFile = await open(launch.logPath, 'a+', 0o600)
  try {
    const { size: logStart } = await logFile.stat()
    const child = spawnPostgres(launch, dataPath, logFile.fd)
    const exited = endOf(child)
    const server = stoppable(child, exited)
    const outcome = await Promise.race([
      exited,
      untilReady(child, dataPath, launch.log),
      aborted(launch.signal),
    ])
    if (outcome === 'ready') return server
    await server.stop()
    const { size } = await logFile.stat()
    const { buffer } = await logFile.read(Buffer.alloc(size - logStart), { position: logStart })
    throw new Error(`PostgreSQL did not start (${outcome}): ${buffer.toString().trim()}`)
  } finally {
    await logFile.close()
  }
}

function spawnPostgres({ port, binaries, account }: Launch, dataPath: string, logFd: number): ChildProcess {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '', // its path could be too long for a socket
    max_connections: 200, // a worker process keeps about fifteen
    log_min_messages: 'log', // a failed statement is told by whoever sent it
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] ',
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const [file, args] = account.command(binaries.postgres, ['-D', dataPath, ...flags])
  // In a group of its own: a Ctrl-C at the terminal must not stop it before those who use it have ended.
  return spawn(file, args, { ...account.options, detached: true, stdio: ['ignore', logFd, logFd] })
}

/** Never resolves for a server that ends instead: the caller races it with its end. */
async function untilReady(child: ChildProcess, dataPath: string, log: Log): Promise<'ready'> {
  for (let waitedMs = POLL_MS; !hasEnded(child); waitedMs += POLL_MS) {
    const file = await readPostmasterFile(dataPath)
    if (file?.isReady === true && file.pid === child.pid) return 'ready'
    if (waitedMs % TELL_EVERY_MS === 0) log.info('PostgreSQL is still starting: it recovers from a crash')
    await sleep(POLL_MS)
  }
  return new Promise(() => {})
}

function stoppable(child: ChildProcess, exited: Promise<string>): PostgresProcess {
  endWithUs(child, exited, 'SIGINT')
  const { pid } = child
  return {
    pid,
    exited,
    async stop() {
      if (pid !== undefined && !hasEnded(child)) await shutDown(pid)
      await exited
    },
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
