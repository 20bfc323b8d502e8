/** Wavemill, alone or with the plain server beside it, started and idle for one measurement; both end with it. */
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createUser, type User } from './client.ts'
import { type BareServer, startBareServer } from './plain-tools.ts'
import { findDescendant } from './processes.ts'
import { type Service, startService } from './service.ts'
import type { Workplace } from './workplace.ts'

export interface IdleService {
  readonly service: Service
  readonly apiPid: number
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
  const service = await startService({ dataDir: await workplace.newFolder(), settings })
  const agent = new Agent({ keepAlive: true })
  try {
    const [apiPid, workerPid] = [
      await findDescendant(service.pid, 'api/dist/main.js'),
      await findDescendant(service.pid, 'worker/dist/main.js'),
    ]
    const user = await createUser(service.baseUrl)
    await sleep(SETTLE_MS)
    return await measure({ service, apiPid, workerPid, user, agent })
  } finally {
    agent.destroy()
    await service.stop()
  }
}

/** The same with the bare server beside it. */
export async function withRivals<T>(
  workplace: Workplace,
  measure: (rivals: Rivals) => Promise<T>,
): Promise<T> {
  const bare = await startBareServer(workplace.folder)
  try {
    return await withService(workplace, {}, (idle) => measure({ ...idle, bare }))
  } finally {
    await bare.stop()
  }
}
