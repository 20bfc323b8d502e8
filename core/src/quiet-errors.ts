/** Logs an error that comes again and again, such as each try to reach a server that is away, only now and then. */
import type { Log } from './log.ts'

const REPEAT_AFTER_MS = 30_000

/**
 * Makes an `error` listener. The same error is a warning at most every 30 seconds, and a debug line in between.
 * Only its code and message are logged: a Redis error carries the command that failed, and that of a login is the password.
 *
 * @param what the log line, such as `The queue has trouble`.
 */
export function createQuietErrorLog(log: Log, what: string): (error: unknown) => void {
  const warnedAt = new Map<string, number>()
  return (error) => {
    const reason = describeError(error)
    const now = Date.now()
    const last = warnedAt.get(reason)
    if (last !== undefined && now - last < REPEAT_AFTER_MS) {
      log.debug({ reason }, what)
      return
    }
    if (warnedAt.size >= 100) warnedAt.clear() // messages may hold ids: never grow with them
    warnedAt.set(reason, now)
    log.warn({ reason }, what)
  }
}

/** One line about an error: its message, or its code where it has none (Node's AggregateError of a refused connection). */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return error.message === '' ? code : error.message
}
