/** `npm run restore -- FILE`: brings back what `npm run backup` kept, into an empty installation. */
import { createLog } from '@wavemill/core/log'
import { describeError } from '@wavemill/core/quiet-errors'
import { restoreFrom } from '@wavemill/prisma/backup-files'
import { loadSettings } from './environment.ts'
import { withNewDatabase } from './with-database.ts'

const log = createLog('restore', 'warn')
const [file] = process.argv.slice(2)
try {
  if (file === undefined || file === '-') throw new Error('say which file: npm run restore -- FILE')
  const settings = loadSettings(process.env)
  await withNewDatabase(settings, log, (url) =>
    restoreFrom({ file, url, wavDir: settings.wavDir, log, print: console.log }),
  )
  process.exit(0)
} catch (error) {
  console.error(`Nothing was restored: ${describeError(error)}`)
  process.exit(1)
}
