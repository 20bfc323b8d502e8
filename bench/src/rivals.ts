/** Wavemill, alone or with the plain server beside it, started and idle for one measurement; both end with it. */
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createUser, type User } from './client.ts'
import { type BareServer, startBareServer } from './plain-tools.ts'
import { findDescendant, findDescendants } from './processes.ts'
import { type Service, startService } from './service.ts'
import type { Workplace } from './workplace.ts'

export interface IdleService {
  readonly service: Service
  /** Of the embedded database: for what is measured against it, and to look at what is left in it. */
  readonly databaseUrl: string
  /** `DATA_DIR`. */
  readonly dataDir: string
  readonly apiPid: number
  /** The first one, where there are several. */
  readonly workerPid: number
  readonly user: User
  /** Keeps connections, so that no measured answer pays for a handshake. */
  readonly agent: Agent
}

export interface Rivals extends IdleService {
  readonly bare: BareServer
}

// What a start leaves running has ended by then, so that what is idle is idle.
const SETTLE_MS = 5_000

/**
 * Starts Wavemill with a new data folder, hands it to `measure` when it is idle, and stops it whatever happens.
 *
 * @param settings beside those that every measured service has.
 */
export async function withService<T>(
  workplace: Workplace,
  settings: Readonly<Record<string, string>>,
  measure: (idle: IdleService) => Promise<T>,
): Promise<T> {
  const dataDir = await workplace.newFolder()
  const service = await startService({ dataDir, settings })
  const agent = new Agent({ keepAlive: true })
  try {
    const databaseUrl = (await readFile(join(dataDir, 'database-url'), 'utf8')).trim()
    const [apiPid, workerPid] = [
      await findDescendant(service.pid, 'api/dist/main.js'),
      await firstWorker(service.pid),
    ]
    const user = await createUser(service.baseUrl)
    await sleep(SETTLE_MS)
    return await measure({ service, databaseUrl, dataDir, apiPid, workerPid, user, agent })
  } finally {
    agent.destroy()
    await service.stop()
  }
}

async function firstWorker(supervisorPid: number): Promise<number> {
  const [pid] = await findDescendants(supervisorPid, 'worker/dist/main.js')
  if (pid === undefined) throw new Error('There is no worker')
  return pid
}

/** The same with the bare server beside it, which reads from the same database. */
export async function withRivals<T>(
  workplace: Workplace,
  measure: (rivals: Rivals) => Promise<T>,
): Promise<T> {
  return withService(workplace, {}, async (idle) => {
    const bare = await startBareServer(workplace.folder, idle.databaseUrl)
    try {
      return await measure({ ...idle, bare })
    } finally {
      await bare.stop()
    }
  })
}
