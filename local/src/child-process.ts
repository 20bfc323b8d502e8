/** Runs one of our programs as a child that says over IPC when it is ready, and that ends by itself when we are gone. */
import { type ChildProcess, fork, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { basename, dirname } from 'node:path'
import { aborted, endChild, endOf, endWithUs } from './ended.ts'
import type { Run } from './supervise.ts'

export interface Program {
  /** Path of the compiled main. */
  readonly path: string
  /** Options of Node itself. */
  readonly nodeOptions?: readonly string[]
  /** The child's whole environment. */
  readonly env: NodeJS.ProcessEnv
  /** How long it may take to end after SIGTERM; then SIGKILL. */
  readonly stopWithinMs: number
  /** The open file that it writes its log to; without one, where we write ours. */
  readonly logFd?: number
}

export interface ProgramRun extends Run {
  /** Undefined only where it could not be spawned at all. */
  readonly pid: number | undefined
}

/**
 * Resolves when the child has sent its first message.
 *
 * @param signal gives up, and ends the child.
 * @throws Error if it ends before.
 */
export async function startProgram(program: Program, signal: AbortSignal): Promise<ProgramRun> {
  const { child, end } = forkProgram(program)
  const stop = () => endChild(child, end, program.stopWithinMs)
  const ready = once(child, 'message').then(() => 'ready' as const)
  const outcome = await Promise.race([ready, end, aborted(signal)])
  if (outcome === 'ready') return { pid: child.pid, exited: end, stop }
  await stop()
  throw new Error(`it ended before it was ready (${outcome})`)
}

/** Runs a program to its end. @throws Error if it ends with a failure, which its own log tells. */
export async function runProgram(program: Program, signal: AbortSignal): Promise<void> {
  const { child, end } = forkProgram(program)
  const outcome = await Promise.race([end, aborted(signal)])
  if (outcome === 'aborted') await endChild(child, end, program.stopWithinMs)
  if (outcome !== 'code 0') throw new Error(`${nameOf(program)} ended with ${outcome}; its log says why`)
}

// In a session of its own: a Ctrl-C at the terminal goes to us alone, and we end the children in order.
function forkProgram({ path, nodeOptions = [], env, logFd }: Program): {
  child: ChildProcess
  end: Promise<string>
} {
  const stdio: StdioOptions = ['ignore', logFd ?? 'inherit', logFd ?? 'inherit', 'ipc']
  const child = fork(path, { env, stdio, detached: true, execArgv: ['--enable-source-maps', ...nodeOptions] })
  const end = endOf(child)
  endWithUs(child, end, 'SIGKILL')
  return { child, end }
}

/** `prisma/migrate-main.js` of `.../prisma/dist/migrate-main.js`. */
function nameOf({ path }: Program): string {
  return `${basename(dirname(dirname(path)))}/${basename(path)}`
}
