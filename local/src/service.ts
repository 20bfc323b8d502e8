/** Everything that `npm start` runs, in order: database, migrations, API and workers; and its end, in reverse order. */
import { fileURLToPath } from 'node:url'
import type { Log } from '@wavemill/core/log'
import type { Settings } from '@wavemill/core/settings'
import { migrateDatabase } from '@wavemill/prisma/migrate'
import { startChild } from './child-process.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'
import { childEnvironment } from './environment.ts'
import { type Run, type Supervised, supervise } from './supervise.ts'

const API = fileURLToPath(new URL('../../api/dist/main.js', import.meta.url))
const WORKER = fileURLToPath(new URL('../../worker/dist/main.js', import.meta.url))
// Each ends by itself sooner, and says in its own log what it cut.
const STOP_API_MS = 25_000
const STOP_WORKER_MS = 10_000

export interface ServiceParts {
  readonly settings: Settings
  readonly env: NodeJS.ProcessEnv
  readonly adminPassword: string
  readonly ffmpegPath: string
  readonly log: Log
  /** Stops a start that is under way. */
  readonly stop: AbortSignal
}

export interface RunningService {
  stop(): Promise<void>
}

/** @throws if one of its parts does not start; what had started is stopped again. */
export async function startService(parts: ServiceParts): Promise<RunningService> {
  const { settings, log, stop } = parts
  const running: Supervised[] = []
  async function stopAll(): Promise<void> {
    for (const part of running.toReversed()) await part.stop()
  }
  try {
    const databaseUrl = settings.databaseUrl ?? (await startDatabase(settings, log, running))
    stop.throwIfAborted()
    await migrateDatabase(databaseUrl, log)
    const env = childEnvironment(parts.env, settings, { ...parts, databaseUrl })
    for (let worker = 1; worker <= settings.workers; worker++) {
      stop.throwIfAborted()
      running.push(await supervise(`Worker ${worker}`, () => startChild(WORKER, env, STOP_WORKER_MS), log))
    }
    stop.throwIfAborted()
    running.push(await supervise('The API', () => startChild(API, env, STOP_API_MS), log))
    return { stop: stopAll }
  } catch (error) {
    await stopAll()
    throw error
  }
}

/** Started again on the same port, where the other processes look for it. */
async function startDatabase(settings: Settings, log: Log, running: Supervised[]): Promise<string> {
  const { dataDir } = settings
  let url = ''
  let port: number | undefined
  async function start(): Promise<Run> {
    const server = await startEmbeddedPostgres({ dataDir, log, ...(port !== undefined && { port }) })
    url = server.url
    port = server.port
    return server
  }
  running.push(await supervise('PostgreSQL', start, log))
  return url
}
