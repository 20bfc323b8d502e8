/** Restores a backup into the database at DATABASE_URL, as the containers run it; `npm run restore` also knows the embedded one. */
import { createLog } from '@wavemill/core/log'
import { describeError } from '@wavemill/core/quiet-errors'
import { parseSettings } from '@wavemill/core/settings'
import { restoreFrom } from './backup-files.ts'

const [file] = process.argv.slice(2)
try {
  if (file === undefined) throw new Error('Say which file, or - for standard input')
  const { databaseUrl: url, wavDir } = parseSettings(process.env)
  if (url === undefined) throw new Error('DATABASE_URL is not set')
  await restoreFrom({ file, url, wavDir, log: createLog('restore', 'silent'), print: console.error })
  process.exit(0)
} catch (error) {
  console.error(`Nothing was restored: ${describeError(error)}`)
  process.exit(1) // also while standard input goes on
}
