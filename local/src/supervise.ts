/** Keeps something running: starts it again when it ends by itself, sooner than its users lose patience. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@wavemill/core/log'

/** One run of what is kept running. */
export interface Run {
  readonly pid: number | undefined
  /** Resolves when it has ended, however. */
  readonly exited: Promise<unknown>
  stop(): Promise<void>
}

export interface Supervised {
  stop(): Promise<void>
}

// What dies is started again within 5 s; what dies at once, again and again, does not take the machine.
const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 4_000
const SETTLED_AFTER_MS = 30_000

/**
 * @param start begins a run; resolves when it works.
 * @throws what the first start throws; later ones are tried again until `stop`.
 */
export async function supervise(name: string, start: () => Promise<Run>, log: Log): Promise<Supervised> {
  const stopping = new AbortController()
  let run: Run | undefined = await start()
  const kept = keepRunning()

  async function keepRunning(): Promise<void> {
    let delayMs = FIRST_DELAY_MS
    while (!stopping.signal.aborted) {
      const startedAt = Date.now()
      await run?.exited
      if (stopping.signal.aborted) return
      if (run !== undefined) log.warn({ pid: run.pid }, `${name} has ended and is started again`)
      run = undefined
      if (Date.now() - startedAt > SETTLED_AFTER_MS) delayMs = FIRST_DELAY_MS
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => {})
      delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)
      if (!stopping.signal.aborted) await startAgain()
    }
  }

  async function startAgain(): Promise<void> {
    try {
      run = await start()
      if (stopping.signal.aborted) await run.stop()
    } catch (error) {
      log.error({ err: error }, `${name} does not start; it is tried again`)
    }
  }

  return {
    async stop() {
      stopping.abort()
      await run?.stop()
      await kept
    },
  }
}
