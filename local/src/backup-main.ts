/** `npm run backup -- FILE`: all of this installation, in one file. */
import { createLog } from '@wavemill/core/log'
import { describeError } from '@wavemill/core/quiet-errors'
import { backUpTo } from '@wavemill/prisma/backup-files'
import { loadSettings } from './environment.ts'
import { withDatabase } from './with-database.ts'

const log = createLog('backup', 'warn')
const [file] = process.argv.slice(2)
try {
  if (file === undefined || file === '-') throw new Error('say which file: npm run backup -- FILE')
  const settings = loadSettings(process.env)
  await withDatabase(settings, log, (url) =>
    backUpTo({ file, url, wavDir: settings.wavDir, log, print: console.log }),
  )
  process.exit(0)
} catch (error) {
  console.error(`The backup failed: ${describeError(error)}`)
  process.exit(1)
}
