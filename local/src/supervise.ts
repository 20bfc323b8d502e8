/** Keeps something running: starts it again when it ends by itself, sooner than its users lose patience. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@wavemill/core/log'
import { describeError } from '@wavemill/core/quiet-errors'

/** One run of what is kept running. */
export interface Run {
  /** Resolves when it has ended, with how. */
  readonly exited: Promise<string>
  stop(): Promise<void>
}

export interface Supervised {
  /** Resolves when the first run works; rejects if it does not start: then nothing is tried again. */
  readonly ready: Promise<void>
  /** Ends it, or the start of it that is under way. */
  stop(): Promise<void>
}

export interface Supervision {
  /** How the log calls it, as the beginning of a sentence. */
  readonly name: string
  /** Begins a run; resolves when it works. When the signal is aborted it gives up, leaves nothing running, and throws. */
  start(signal: AbortSignal): Promise<Run>
  readonly log: Log
  /** From then on nothing is started, or started again; `stop` must be called all the same. */
  readonly signal: AbortSignal
}

// What dies is back within 5 s; what dies at once, again and again, does not take the machine.
const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 4_000
const SETTLED_AFTER_MS = 5_000

export function supervise({ name, log, start, signal: outer }: Supervision): Supervised {
  const stopping = new AbortController()
  const signal = AbortSignal.any([stopping.signal, outer])
  let run: Run | undefined

  async function startFirst(): Promise<void> {
    run = await start(signal)
  }

  async function keepRunning(): Promise<void> {
    for (let delayMs = FIRST_DELAY_MS; !signal.aborted; delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)) {
      const startedAt = Date.now()
      const how = await run?.exited
      if (signal.aborted) break
      if (how !== undefined) log.warn({ how }, `${name} has ended and is started again`)
      if (Date.now() - startedAt > SETTLED_AFTER_MS) delayMs = FIRST_DELAY_MS
      await sleep(delayMs, undefined, { signal }).catch(() => {})
      run = await startAgain()
    }
    await run?.stop() // one whose start outran the signal
  }

  async function startAgain(): Promise<Run | undefined> {
    try {
      signal.throwIfAborted()
      return await start(signal)
    } catch (error) {
      if (!signal.aborted) {
        log.error({ reason: describeError(error) }, `${name} does not start; it is tried again`)
      }
      return undefined
    }
  }

  const ready = startFirst()
  const kept = ready.then(keepRunning, () => {})
  return {
    ready,
    async stop() {
      stopping.abort()
      await run?.stop()
      await kept
    },
  }
}
