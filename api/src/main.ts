/** The API process: makes its parts in order, serves until it is told to stop, and closes them in reverse order. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog, type Log } from '@wavemill/core/log'
import { openSegmentQueue, type SegmentQueue } from '@wavemill/core/queue'
import { createQuietErrorLog } from '@wavemill/core/quiet-errors'
import { parseSettings, SettingsError } from '@wavemill/core/settings'
import { createWavStore } from '@wavemill/core/wav-store'
import { settlesWithin } from '@wavemill/core/within'
import { openDatabase } from '@wavemill/prisma/database'
import { waitForDatabase } from '@wavemill/prisma/migrations'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import type { ApiSettings } from './parts.ts'
import { openRecordWatch, type RecordWatch } from './record-watch.ts'

/** How long running requests may still take after SIGTERM; what takes longer is cut. */
const FINISH_TIMEOUT_MS = 20_000
/** What is not closed so long after SIGTERM is not waited for: a database that fell silent, for one. */
const EXIT_TIMEOUT_MS = 25_000

async function main(): Promise<void> {
  const settings = readSettings()
  const log = createLog('api', settings.logLevel)
  try {
    await serve(settings, log, stopSignal(log))
    log.info('stopped')
  } catch (error) {
    log.fatal({ err: error }, 'cannot go on')
    process.exitCode = 1
  }
  if (process.connected) process.disconnect()
}

function readSettings(): ApiSettings {
  try {
    const settings = parseSettings(process.env)
    if (settings.databaseUrl === undefined) throw new SettingsError(['DATABASE_URL must be set'])
    if (settings.registration === 'admin' && settings.adminPassword === undefined)
      throw new SettingsError(['ADMIN_PASSWORD must be set where REGISTRATION is admin'])
    return { ...settings, databaseUrl: settings.databaseUrl }
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    console.error(error.message)
    process.exit(1)
  }
}

/** Aborted by SIGTERM, by SIGINT, or when the parent that we talk to over IPC is gone. */
function stopSignal(log: Log): AbortSignal {
  const controller = new AbortController()
  const events = ['SIGTERM', 'SIGINT', ...(process.connected ? ['disconnect'] : [])]
  for (const event of events) {
    process.on(event, () => {
      if (controller.signal.aborted) return
      log.info({ event }, 'stopping')
      controller.abort()
      setTimeout(() => process.exit(), EXIT_TIMEOUT_MS).unref()
    })
  }
  return controller.signal
}

async function serve(settings: ApiSettings, log: Log, stop: AbortSignal): Promise<void> {
  const db = openDatabase({ url: settings.databaseUrl, applicationName: 'wavemill api', log })
  let queue: SegmentQueue | undefined
  let watch: RecordWatch | undefined
  try {
    const wavStore = await createWavStore(settings.wavDir)
    await waitForDatabase(db, { log, signal: stop })
    queue = await openQueue(settings, log, stop)
    watch = openRecordWatch({ databaseUrl: settings.databaseUrl, log })
    const app = await buildApp({ db, wavStore, queue, watch, log, settings })
    await app.listen({ host: settings.host, port: settings.port })
    process.send?.({ ready: true, port: portOf(app) })
    if (!stop.aborted) await once(stop, 'abort')
    await closeApp(app, log)
  } catch (error) {
    if (!stop.aborted) throw error // told to stop while it started: that is no failure
  } finally {
    await watch?.close()
    await queue?.close()
    await db.close()
  }
}

/** With Redis this succeeds at once, away or not; the queue in PostgreSQL opens when the database answers. */
async function openQueue(settings: ApiSettings, log: Log, stop: AbortSignal): Promise<SegmentQueue> {
  const report = createQuietErrorLog(log, 'The queue cannot be opened yet')
  const { databaseUrl, redisUrl } = settings
  for (;;) {
    stop.throwIfAborted()
    try {
      return await openSegmentQueue({ databaseUrl, redisUrl, log })
    } catch (error) {
      report(error)
    }
    await sleep(1_000, undefined, { signal: stop })
  }
}

function portOf(app: FastifyInstance): number {
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no TCP port')
  return address.port
}

async function closeApp(app: FastifyInstance, log: Log): Promise<void> {
  const closed = app.close()
  // Node closes the connections that are idle now, but not those that become idle later.
  const sweeper = setInterval(() => app.server.closeIdleConnections(), 200)
  const isDone = await settlesWithin(FINISH_TIMEOUT_MS, closed)
  clearInterval(sweeper)
  if (isDone) return
  log.warn('requests were cut off: they took too long to finish')
  app.server.closeAllConnections()
  await closed
}

await main()
