/** The process of a PostgreSQL server, ours or one that an earlier start left behind: is it alive, and how is it ended? */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

export interface RunningServer {
  readonly pid: number
  readonly port: number
}

const FAST_SHUTDOWN_MS = 20_000
const IMMEDIATE_SHUTDOWN_MS = 5_000

/** Looks into postmaster.pid, whose lines are: pid, data folder, start time, port. Undefined if no server runs on `cluster`. */
export async function findRunningServer(cluster: string): Promise<RunningServer | undefined> {
  const content = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')
  const [pid, , , port] = content.split('\n').map(Number)
  if (!Number.isInteger(pid) || pid === undefined || pid < 2 || port === undefined) return undefined
  // The pid may be somebody else's by now.
  return (await commandOf(pid)).includes(cluster) ? { pid, port } : undefined
}

async function commandOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  const { stdout } = await promisify(execFile)('ps', ['-p', String(pid), '-o', 'command=']).catch(() => ({
    stdout: '',
  }))
  return stdout
}

/** Asks for a fast shutdown, then an immediate one, then kills; resolves when the process is gone. */
export async function endServer(pid: number): Promise<void> {
  if (await endsAfter(pid, 'SIGINT', FAST_SHUTDOWN_MS)) return
  if (await endsAfter(pid, 'SIGQUIT', IMMEDIATE_SHUTDOWN_MS)) return
  await endsAfter(pid, 'SIGKILL', IMMEDIATE_SHUTDOWN_MS)
}

async function endsAfter(pid: number, signal: NodeJS.Signals, withinMs: number): Promise<boolean> {
  if (!send(pid, signal)) return true
  for (let waited = 0; waited < withinMs; waited += 50) {
    if (!send(pid, 0)) return true
    await sleep(50)
  }
  return false
}

/** @returns false if there is no such process. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
