/** The installation's database for a command that a person runs: the given one, or the embedded one, whether Wavemill runs or not. */
import { stat } from 'node:fs/promises'
import type { Log } from '@wavemill/core/log'
import type { Settings } from '@wavemill/core/settings'
import { openDataFolder, readIfThere } from './data-folder.ts'
import { lockDataFolder } from './data-folder-lock.ts'
import { hasDatabase, startEmbeddedPostgres } from './embedded-postgres.ts'

type Place = Pick<Settings, 'dataDir' | 'databaseUrl'>

/**
 * Of a Wavemill that runs, or else of one that is stopped: then its database runs for as long as this takes.
 *
 * @throws if there is no such database.
 */
export async function withDatabase<T>(place: Place, log: Log, work: (url: string) => Promise<T>): Promise<T> {
  const { dataDir, databaseUrl } = place
  if (databaseUrl !== undefined) return await work(databaseUrl)
  await stat(dataDir).catch((cause) => {
    throw new Error(`${dataDir} cannot be read: is DATA_DIR right?`, { cause })
  })
  const folder = await openDataFolder(dataDir)
  if (!(await hasDatabase(folder))) throw new Error(`there is no database in ${dataDir}: is DATA_DIR right?`)
  return await withLock(dataDir, log, work, async () => {
    const url = await readIfThere(folder.databaseUrl)
    if (url === undefined) throw new Error('Wavemill is still starting: try again in a moment')
    return await work(url)
  })
}

/** Also where there is none yet: it is made. @throws if Wavemill runs. */
export async function withNewDatabase<T>(
  { dataDir, databaseUrl }: Place,
  log: Log,
  work: (url: string) => Promise<T>,
): Promise<T> {
  if (databaseUrl !== undefined) return await work(databaseUrl)
  await openDataFolder(dataDir)
  return await withLock(dataDir, log, work, async () => {
    throw new Error(`Wavemill runs on ${dataDir}: stop it first`)
  })
}

async function withLock<T>(
  dataDir: string,
  log: Log,
  work: (url: string) => Promise<T>,
  whileItRuns: () => Promise<T>,
): Promise<T> {
  const lock = await lockDataFolder(dataDir)
  if (lock === undefined) return await whileItRuns()
  try {
    const server = await startEmbeddedPostgres({ dataDir, log })
    return await work(server.url).finally(() => server.stop())
  } finally {
    await lock.release()
  }
}
