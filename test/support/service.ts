/** A running Wavemill for an e2e test: `npm start`'s own entry with a port and a data folder of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Service, startService } from '../../bench/src/service.ts'

/** Starts the service in a new temporary data folder; `stop` ends it and removes the folder. */
export async function startTestService(settings: Readonly<Record<string, string>> = {}): Promise<Service> {
  const dataDir = await mkdtemp(join(tmpdir(), 'wavemill-e2e-'))
  const removeData = () => rm(dataDir, { recursive: true, force: true })
  try {
    const service = await startService({ dataDir, settings: { MIN_FREE_DISK_MB: '0', ...settings } })
    return { ...service, stop: () => service.stop().finally(removeData) }
  } catch (error) {
    await removeData()
    throw error
  }
}
