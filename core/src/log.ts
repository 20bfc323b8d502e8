/** Makes a process's logger: JSON lines, or readable ones on a terminal; the names of secrets are redacted. */
import { isatty } from 'node:tty'
import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import type { LogLevel } from './settings.ts'

export type Log = Logger

// The second line of defence; the first is that no code hands a secret to the log.
const secrets = ['token', 'password', 'authorization', 'cookie']
const redact = { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[secret]' }

/**
 * @param name which process speaks: `api`, `worker`, `start`.
 * @param level pino's level names.
 */
export function createLog(name: string, level: LogLevel): Log {
  const options = { name, level, redact, timestamp: pino.stdTimeFunctions.isoTime }
  // Not process.stdout.isTTY: a mere look at process.stdout makes a pipe non-blocking, and then pino sleeps for 100 ms
  // whenever it is full, as with the thousands of lines of a crowd that is answered at once.
  if (!isatty(1)) return pino(options, pino.destination({ dest: 1, sync: true }))
  return pino(options, pretty({ colorize: true, ignore: 'pid,hostname', sync: true }))
}
