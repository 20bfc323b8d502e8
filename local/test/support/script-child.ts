/** Runs a TypeScript file of the tests as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export interface ScriptChild {
  readonly process: ChildProcess
  /** The first line that it writes. */
  readonly firstLine: Promise<string>
  /** kill -9; resolves when it has ended. */
  kill(): Promise<void>
}

/** @param name of a file beside this one. It is killed when the test has finished. */
export function runScript(name: string, ...args: string[]): ScriptChild {
  const file = fileURLToPath(new URL(name, import.meta.url))
  const options = ['--import', 'tsx', '--conditions=source']
  const child = spawn(process.execPath, [...options, file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  async function kill(): Promise<void> {
    child.kill('SIGKILL')
    await exited
  }
  onTestFinished(kill)
  const firstLine = once(child.stdout, 'data').then(([data]) => String(data).trim())
  return { process: child, firstLine, kill }
}
