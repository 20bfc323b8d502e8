/** Finds a PostgreSQL that still runs on a data folder, and stops it. */
import { execFile } from 'node:child_process'
import { readFile, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Log } from '@wavemill/core/log'
import { readIfThere } from './data-folder.ts'

const run = promisify(execFile)
const POLL_MS = 20

/** What each signal means to a postmaster, and how long it is given before the next: https://www.postgresql.org/docs/18/server-shutdown.html */
const shutdowns: readonly { signal: NodeJS.Signals; withinMs: number }[] = [
  { signal: 'SIGINT', withinMs: 8_000 }, // fast: ends the sessions and writes a checkpoint
  { signal: 'SIGQUIT', withinMs: 5_000 }, // immediate: the next start recovers
  { signal: 'SIGKILL', withinMs: 5_000 },
]

/** postmaster.pid, whose lines are documented in PostgreSQL's src/include/utils/pidfile.h. */
export interface PostmasterFile {
  readonly pid: number
  readonly isReady: boolean
}

export async function readPostmasterFile(dataPath: string): Promise<PostmasterFile | undefined> {
  const lines = (await readIfThere(join(dataPath, 'postmaster.pid')))?.split('\n')
  const pid = Number(lines?.[0])
  if (lines === undefined || !(pid > 0)) return undefined
  return { pid, isReady: lines[7]?.trim() === 'ready' }
}

/** The process id of the server that runs on this data folder, whoever started it; undefined if there is none. */
export async function findPostmaster(dataPath: string): Promise<number | undefined> {
  const pid = (await readPostmasterFile(dataPath))?.pid
  return pid !== undefined && (await isPostmasterOf(pid, dataPath)) ? pid : undefined
}

/**
 * Stops what a killed process left running. A lock file whose process is gone, or somebody else by now, is removed: the
 * server itself would take a stranger that was given the same number for another server.
 */
export async function stopLeftoverPostgres(dataPath: string, log: Log): Promise<void> {
  const pid = await findPostmaster(dataPath)
  if (pid !== undefined) {
    log.warn({ pid }, 'A PostgreSQL was left running by an earlier start; it is stopped')
    await shutDown(pid)
  }
  await rm(join(dataPath, 'postmaster.pid'), { force: true })
}

/** Fast, then immediate, then by force. @throws Error if it outlives all of that, or belongs to somebody else. */
export async function shutDown(pid: number): Promise<void> {
  for (const { signal, withinMs } of shutdowns) {
    if (!(await isRunning(pid))) return
    process.kill(pid, signal)
    for (let waitedMs = 0; waitedMs < withinMs; waitedMs += POLL_MS) {
      await sleep(POLL_MS)
      if (!(await isRunning(pid))) return
    }
  }
  throw new Error(`PostgreSQL (process ${pid}) does not end`)
}

async function isPostmasterOf(pid: number, dataPath: string): Promise<boolean> {
  const commandLine = await commandLineOf(pid)
  return commandLine.includes('postgres') && commandLine.includes(await realpath(dataPath))
}

// A process that has ended but was not waited for (an orphan in a container) has no command line any more.
async function isRunning(pid: number): Promise<boolean> {
  return (await commandLineOf(pid)) !== ''
}

async function commandLineOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout
}
