/** `npm run books`: says what does not add up in this installation; ends with 0 only where all does. */
import { createLog } from '@wavemill/core/log'
import { describeError } from '@wavemill/core/quiet-errors'
import { reportBooks } from '@wavemill/prisma/report-books'
import { loadSettings } from './environment.ts'
import { withDatabase } from './with-database.ts'

const log = createLog('books', 'warn')
try {
  const settings = loadSettings(process.env)
  const faults = await withDatabase(settings, log, (url) => reportBooks(url, settings, log, console.log))
  process.exitCode = faults === 0 ? 0 : 1
} catch (error) {
  console.error(`The books cannot be read: ${describeError(error)}`)
  process.exitCode = 2
}
