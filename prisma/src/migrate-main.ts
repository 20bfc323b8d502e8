/** The process that migrates DATABASE_URL and ends: the containers' one-shot service. */
import { createLog } from '@wavemill/core/log'
import { describeError } from '@wavemill/core/quiet-errors'
import { parseSettings } from '@wavemill/core/settings'
import { migrateDatabase } from './migrate.ts'

const { databaseUrl, logLevel } = parseSettings(process.env)
const log = createLog('migrate', logLevel)
try {
  if (databaseUrl === undefined) throw new Error('DATABASE_URL is not set')
  await migrateDatabase(databaseUrl, log)
  process.exit(0) // at once: Prisma's engine leaves the timer of its lock running for ten seconds
} catch (error) {
  log.fatal({ reason: describeError(error) }, 'The database could not be migrated')
  process.exit(1)
}
