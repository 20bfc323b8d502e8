/** How a child process ended, in words. */
import type { ChildProcess } from 'node:child_process'

/** Resolves when the child has ended, or could not be started at all, with a phrase such as `code 1` or `SIGKILL`. */
export function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`))
  })
}
