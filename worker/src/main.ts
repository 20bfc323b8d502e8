/** The worker process: opens what a worker needs, runs it until it is told to end, and closes in reverse order within 8 s. */
import { once } from 'node:events'
import { availableParallelism, hostname } from 'node:os'
import { createLog, type Log } from '@wavemill/core/log'
import { openSegmentQueue } from '@wavemill/core/queue'
import { parseSettings, type Settings, SettingsError } from '@wavemill/core/settings'
import { createWavStore } from '@wavemill/core/wav-store'
import { settlesWithin } from '@wavemill/core/within'
import { openDatabase } from '@wavemill/prisma/database'
import { waitForDatabase } from '@wavemill/prisma/migrations'
import { probeFfmpeg } from './ffmpeg.ts'
import { startHeartbeat } from './heartbeat.ts'
import { buildWorker } from './worker.ts'

const WORKER_CLOSE_MS = 6_000
const OTHER_CLOSE_MS = 1_000

async function run(settings: Settings, log: Log, stop: AbortSignal): Promise<void> {
  const { databaseUrl, redisUrl, segmentAttempts, segmentLockMs, ffmpegPath = 'ffmpeg' } = settings
  if (databaseUrl === undefined) throw new Error('A worker needs DATABASE_URL')
  const closers: { boundMs: number; close(): Promise<unknown> }[] = []
  try {
    const ffmpegVersion = await probeFfmpeg(ffmpegPath)
    const db = openDatabase({ url: databaseUrl, applicationName: 'wavemill worker', log })
    closers.push({ boundMs: OTHER_CLOSE_MS, close: db.close })
    await waitForDatabase(db, { log, signal: stop })
    const wavStore = await createWavStore(settings.wavDir)
    const queue = await openSegmentQueue({ databaseUrl, redisUrl, log })
    closers.push({ boundMs: OTHER_CLOSE_MS, close: queue.close })

    const concurrency = settings.workerConcurrency ?? availableParallelism()
    const workerName = `${hostname()}:${process.pid}`
    const tools = { db, databaseUrl, redisUrl, wavStore, queue, log, workerName, ffmpegPath }
    const worker = buildWorker({ ...tools, concurrency, segmentAttempts, lockMs: segmentLockMs })
    worker.start()
    closers.push({ boundMs: WORKER_CLOSE_MS, close: () => worker.close(WORKER_CLOSE_MS) })
    const endHeartbeat = startHeartbeat((error) => log.debug({ err: error }, 'No heartbeat was written'))
    closers.push({ boundMs: OTHER_CLOSE_MS, close: endHeartbeat })

    log.info({ workerName, concurrency, ffmpegVersion }, 'The worker takes jobs')
    process.send?.('ready')
    if (!stop.aborted) await once(stop, 'abort')
  } finally {
    for (const { boundMs, close } of closers.reverse()) await settlesWithin(boundMs, close())
  }
}

function parseOrExit(): Settings {
  try {
    return parseSettings(process.env)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    console.error(error.message)
    process.exit(1)
  }
}

const settings = parseOrExit()
const log = createLog('worker', settings.logLevel)
const stopping = new AbortController()
process.on('SIGTERM', () => stopping.abort())
process.on('SIGINT', () => stopping.abort())
process.on('disconnect', () => stopping.abort()) // `npm start`, which forked it, is gone
process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'A bug: the worker ends and is started again')
  process.exit(1)
})

try {
  await run(settings, log, stopping.signal)
  log.info('The worker has ended')
} catch (error) {
  if (!stopping.signal.aborted) {
    log.fatal({ err: error }, 'The worker cannot work')
    process.exit(1)
  }
}
process.exit(0) // whatever still waits for a server that is away
