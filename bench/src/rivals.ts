/** Wavemill and the plain server side by side, both idle, for one measurement; both end with it. */
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createUser, type User } from './client.ts'
import { type BareServer, startBareServer } from './plain-tools.ts'
import { findDescendant } from './processes.ts'
import { type Service, startService } from './service.ts'
import type { Workplace } from './workplace.ts'

export interface Rivals {
  readonly bare: BareServer
  readonly service: Service
  readonly apiPid: number
  readonly workerPid: number
  readonly user: User
  /** Keeps connections, so that no measured answer pays for a handshake. */
  readonly agent: Agent
}

// What a start leaves running has ended by then, so that what is idle is idle.
const SETTLE_MS = 5_000

/** Starts both, hands them to `measure` when they are idle, and stops both whatever happens. */
export async function withRivals<T>(
  workplace: Workplace,
  measure: (rivals: Rivals) => Promise<T>,
): Promise<T> {
  const agent = new Agent({ keepAlive: true })
  const bare = await startBareServer(workplace.folder)
  try {
    const service = await startService({ dataDir: await workplace.newFolder() })
    try {
      const [apiPid, workerPid] = [
        await findDescendant(service.pid, 'api/dist/main.js'),
        await findDescendant(service.pid, 'worker/dist/main.js'),
      ]
      const user = await createUser(service.baseUrl)
      await sleep(SETTLE_MS)
      return await measure({ bare, service, apiPid, workerPid, user, agent })
    } finally {
      await service.stop()
    }
  } finally {
    agent.destroy()
    await bare.stop()
  }
}
