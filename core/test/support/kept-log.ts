/** A log whose lines a test can read. */
import { pino } from 'pino'
import type { Log } from '../../src/log.ts'

export function createKeptLog(): { readonly log: Log; readonly lines: readonly string[] } {
  const lines: string[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) })
  return { log, lines }
}
