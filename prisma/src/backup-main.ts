/** A backup of the database at DATABASE_URL, as the containers run it; `npm run backup` also knows the embedded one. */
import { createLog } from '@wavemill/core/log'
import { describeError } from '@wavemill/core/quiet-errors'
import { parseSettings } from '@wavemill/core/settings'
import { backUpTo } from './backup-files.ts'

const [file] = process.argv.slice(2)
try {
  if (file === undefined) throw new Error('Say which file, or - for standard output')
  const { databaseUrl: url, wavDir } = parseSettings(process.env)
  if (url === undefined) throw new Error('DATABASE_URL is not set')
  // Standard output belongs to the backup.
  await backUpTo({ file, url, wavDir, log: createLog('backup', 'silent'), print: console.error })
  process.exit(0)
} catch (error) {
  console.error(`The backup failed: ${describeError(error)}`)
  process.exit(1) // also while standard input goes on
}
