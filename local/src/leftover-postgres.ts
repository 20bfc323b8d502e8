/** Finds a PostgreSQL that still runs on a data folder, and stops it. */
import { execFile } from 'node:child_process'
import { realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Log } from '@wavemill/core/log'
import { readIfThere } from './data-folder.ts'

const run = promisify(execFile)
const POLL_MS = 20
// Slim Linux systems have no ps, and others no /proc.
const isLinux = process.platform === 'linux'

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
  const commandLine = isLinux ? await readProc(pid, 'cmdline') : await askPs(pid, 'args')
  return commandLine.includes('postgres') && commandLine.includes(await realpath(dataPath))
}

/** An orphan that has ended, and that nobody has waited for yet (Z, as in many containers), runs no more. */
async function isRunning(pid: number): Promise<boolean> {
  // The name before the state stands in parentheses and may hold anything, more of them too.
  const state = isLinux ? (await readProc(pid, 'stat')).split(') ').at(-1) : await askPs(pid, 'stat')
  return state !== undefined && /^[^ZX]/.test(state)
}

async function readProc(pid: number, file: 'cmdline' | 'stat'): Promise<string> {
  return (await readIfThere(`/proc/${pid}/${file}`).catch(() => undefined)) ?? ''
}

async function askPs(pid: number, field: 'args' | 'stat'): Promise<string> {
  const { stdout } = await run('ps', ['-ww', '-o', `${field}=`, '-p', String(pid)]).catch(() => ({
    stdout: '',
  }))
  return stdout
}
