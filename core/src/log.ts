/** Makes a process's logger: JSON lines, or readable ones on a terminal; the names of secrets are redacted. */
import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import type { LogLevel } from './settings.ts'

export type Log = Logger

// The second line of defence; the first is that no code hands a secret to the log.
const secrets = ['token', 'password', 'authorization', 'cookie']
const redact = { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[secret]' }

/** Lines that wait for a reader of stdout; what is more is dropped. */
const MAX_WAITING_BYTES = 8 * 1_048_576

/**
 * Where stdout is a pipe whose reader is slow, lines wait in memory: written at once, they would hold up the whole process for
 * 100 ms each time that the pipe is full, as with the thousands of lines of a crowd that is answered at once.
 *
 * @param name which process speaks: `api`, `worker`, `start`.
 * @param level pino's level names.
 */
export function createLog(name: string, level: LogLevel): Log {
  const options = { name, level, redact, timestamp: pino.stdTimeFunctions.isoTime }
  if (!process.stdout.isTTY)
    return pino(options, pino.destination({ dest: 1, sync: false, maxLength: MAX_WAITING_BYTES }))
  return pino(options, pretty({ colorize: true, ignore: 'pid,hostname', sync: true }))
}
