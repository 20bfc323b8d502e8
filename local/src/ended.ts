/** How a child process ends: waited for, told in words, and brought about. */
import type { ChildProcess } from 'node:child_process'
import { settlesWithin } from '@wavemill/core/within'

/** Resolves when the child has ended, or could not be started at all, with a phrase such as `code 1` or `SIGKILL`. */
export function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`))
  })
}

/** SIGTERM, and after `withinMs` SIGKILL. @param end of the same child. */
export async function endChild(child: ChildProcess, end: Promise<unknown>, withinMs: number): Promise<void> {
  child.kill('SIGTERM')
  if (!(await settlesWithin(withinMs, end))) child.kill('SIGKILL')
  await end
}

/** Where this process ends first, by a bug or by force, it sends the child a last signal. */
export function endWithUs(child: ChildProcess, end: Promise<unknown>, signal: NodeJS.Signals): void {
  const send = () => void child.kill(signal)
  process.once('exit', send)
  void end.then(() => process.off('exit', send))
}

/** Resolves when the signal is aborted; never without. */
export function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted')
    signal.addEventListener('abort', () => resolve('aborted'), { once: true })
  })
}
