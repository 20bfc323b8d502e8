/** `npm run books`: says what does not add up in this installation; ends with 0 only where all does. */
import { stat } from 'node:fs/promises'
import { createLog } from '@wavemill/core/log'
import { describeError } from '@wavemill/core/quiet-errors'
import type { Settings } from '@wavemill/core/settings'
import { reportBooks } from '@wavemill/prisma/report-books'
import { openDataFolder, readIfThere } from './data-folder.ts'
import { lockDataFolder } from './data-folder-lock.ts'
import { hasDatabase, startEmbeddedPostgres } from './embedded-postgres.ts'
import { loadSettings } from './environment.ts'

const log = createLog('books', 'warn')

/** @returns how many faults there are. */
async function main(): Promise<number> {
  const settings = loadSettings(process.env)
  if (settings.databaseUrl !== undefined) return await report(settings.databaseUrl, settings)
  return await withEmbeddedDatabase(settings.dataDir, (url) => report(url, settings))
}

/** Of a Wavemill that runs, or else of one that is stopped: then its database runs for as long as this takes. */
async function withEmbeddedDatabase<T>(dataDir: string, work: (url: string) => Promise<T>): Promise<T> {
  await stat(dataDir).catch((cause) => {
    throw new Error(`${dataDir} cannot be read: is DATA_DIR right?`, { cause })
  })
  const folder = await openDataFolder(dataDir)
  if (!(await hasDatabase(folder))) throw new Error(`there is no database in ${dataDir}: is DATA_DIR right?`)
  const lock = await lockDataFolder(dataDir)
  if (lock === undefined) {
    const url = await readIfThere(folder.databaseUrl)
    if (url === undefined) throw new Error('Wavemill is still starting: try again in a moment')
    return await work(url)
  }
  try {
    const server = await startEmbeddedPostgres({ dataDir, log })
    return await work(server.url).finally(() => server.stop())
  } finally {
    await lock.release()
  }
}

function report(url: string, settings: Settings): Promise<number> {
  return reportBooks(url, settings, log, console.log)
}

try {
  process.exitCode = (await main()) === 0 ? 0 : 1
} catch (error) {
  console.error(`The books cannot be read: ${describeError(error)}`)
  process.exitCode = 2
}
