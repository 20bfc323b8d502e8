/** The books of the database at DATABASE_URL, as the containers run it; `npm run books` also knows the embedded one. */
import { createLog } from '@wavemill/core/log'
import { describeError } from '@wavemill/core/quiet-errors'
import { parseSettings } from '@wavemill/core/settings'
import { reportBooks } from './report-books.ts'

try {
  const settings = parseSettings(process.env)
  if (settings.databaseUrl === undefined) throw new Error('DATABASE_URL is not set')
  const faults = await reportBooks(settings.databaseUrl, settings, createLog('books', 'warn'), console.log)
  process.exitCode = faults === 0 ? 0 : 1
} catch (error) {
  console.error(`The books cannot be read: ${describeError(error)}`)
  process.exitCode = 2
}
