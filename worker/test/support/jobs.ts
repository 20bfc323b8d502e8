/** What the tests' own jobs are made of: gates to wait at, and the reason why they were told to stop. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { JobStopped } from '../../src/job-stopped.ts'

/** A gate that jobs wait at until the test opens it. */
export function createGate(): { open(): void; readonly opened: Promise<void> } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open: () => open(), opened }
}

/** Waits until `check` holds; the test's own timeout bounds it. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await sleep(20)
}

/** Waits until the job is told to stop, and resolves to why. */
export async function stopReason(signal: AbortSignal): Promise<string> {
  if (!signal.aborted) await once(signal, 'abort')
  return signal.reason instanceof JobStopped ? signal.reason.reason : `not a JobStopped: ${signal.reason}`
}
