/** Runs one of our programs as a child that says `ready` over IPC, and that ends by itself when we are gone. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Run } from './supervise.ts'

/**
 * @param program path of the compiled main.
 * @param env the child's whole environment.
 * @param stopWithinMs after SIGTERM; then SIGKILL.
 * @returns when the child has sent its first message.
 * @throws Error if it ends before.
 */
export async function startChild(
  program: string,
  env: NodeJS.ProcessEnv,
  stopWithinMs: number,
): Promise<Run> {
  // A session of its own: a terminal's Ctrl-C goes to us alone, and we end the children in order.
  const child = fork(program, { env, detached: true, execArgv: ['--enable-source-maps'] })
  const exited = once(child, 'exit').then(() => {})
  const isReady = await Promise.race([once(child, 'message').then(() => true), exited.then(() => false)])
  if (!isReady) throw new Error(`${program} ended before it was ready`)
  return { pid: child.pid, exited, stop: () => stopChild(child, exited, stopWithinMs) }
}

async function stopChild(child: ChildProcess, exited: Promise<void>, stopWithinMs: number): Promise<void> {
  child.kill('SIGTERM')
  const patience = new AbortController()
  await Promise.race([exited, sleep(stopWithinMs, undefined, { signal: patience.signal }).catch(() => {})])
  patience.abort()
  child.kill('SIGKILL')
  await exited
}
