/** Spawns a program in a session of its own, which still ends with this process. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

/**
 * Linux shares the cores between sessions before it shares them between processes (sched_autogroup), so that in a
 * benchmark each rival needs its own: otherwise one of them wins by that alone.
 *
 * A Ctrl-C at the terminal does not reach it; when this process exits first, it gets SIGTERM.
 */
export function spawnInSession(file: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(file, args, { ...options, detached: true })
  const end = () => void child.kill('SIGTERM')
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
  return child
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
