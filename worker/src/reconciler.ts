/** The reconciler's timer: at the start of the process and then every ten seconds, never twice at once. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createQuietErrorLog } from '@wavemill/core/quiet-errors'
import { type ReconcilerTools, reconcile } from './reconcile.ts'

const INTERVAL_MS = 10_000

export interface Reconciler {
  /** Begins no further round, and resolves when the one under way has ended. */
  stop(): Promise<void>
}

/** @param intervalMs between the end of a round and the next; for tests. */
export function startReconciler(tools: ReconcilerTools, intervalMs = INTERVAL_MS): Reconciler {
  const stopping = new AbortController()
  const reportError = createQuietErrorLog(tools.log, 'The reconciler has trouble')

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await reconcile(tools).catch(reportError)
      await sleep(intervalMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }

  const ended = run()
  return {
    stop() {
      stopping.abort()
      return ended
    },
  }
}
