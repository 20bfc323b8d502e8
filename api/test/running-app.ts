/** The API on a port of its own, with a database, a queue and a WAV folder of its own, all real; what the API tests start. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { openSegmentQueue, type SegmentQueue } from '@wavemill/core/queue'
import { parseSettings, type Settings } from '@wavemill/core/settings'
import { createWavStore, type WavStore } from '@wavemill/core/wav-store'
import { type Database, openDatabase } from '@wavemill/prisma/database'
import { pino } from 'pino'
import { type CuttableProxy, startProxy } from '../../test/support/cuttable-proxy.ts'
import { createTestDatabase } from '../../test/support/database.ts'
import { buildApp } from '../src/app.ts'
import type { OpenApiDocument } from '../src/openapi/document.ts'
import type { Limits } from '../src/parts.ts'
import { openRecordWatch, type RecordWatch } from '../src/record-watch.ts'
import { checkAnswers } from './check-answers.ts'

export interface User {
  readonly id: string
  readonly name: string
  readonly token: string
}

/** What lies in the service: to compare before and after. */
interface Stored {
  readonly users: number
  readonly records: number
  readonly segments: number
  readonly files: readonly string[]
}

export interface RunningApp {
  /** Without a trailing slash. */
  readonly baseUrl: string
  readonly port: number
  /** Past the proxies: a test's own view. */
  readonly db: Database
  readonly wavStore: WavStore
  readonly queue: SegmentQueue
  readonly watch: RecordWatch
  /** Between the app and its database, the queue's connections not included. */
  readonly databaseProxy: CuttableProxy
  /** Everything that was logged so far, at every level, nothing redacted. */
  logs(): string
  createUser(name?: string): Promise<User>
  stored(): Promise<Stored>
  /** As a main does when it is told to stop; what runs is finished. */
  close(): Promise<void>
  stop(): Promise<void>
}

export interface AppOptions {
  readonly settings?: Partial<Settings>
  readonly limits?: Partial<Limits>
  /** Default: the queue lives in the database. */
  readonly redisUrl?: string
  /** Between the store and the app, to make it fail. */
  readonly wrapStore?: (store: WavStore) => WavStore
  readonly wavDir?: string
  /** Put between the app and its database instead of `databaseProxy`. */
  readonly throughProxy?: (serverUrl: string) => Promise<{ readonly url: string; stop(): Promise<void> }>
}

/** Tests do in seconds what users do in hours: only those of the limits have some. */
const UNHURRIED = { NEW_USERS_PER_MINUTE: '0', UPLOADS_PER_MINUTE: '0', UPLOADS_AT_ONCE: '0' }

let users = 0

export async function startApp(options: AppOptions = {}): Promise<RunningApp> {
  const closers: (() => Promise<void>)[] = []
  async function stop(): Promise<void> {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    return await start(options, closers, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(
  options: AppOptions,
  closers: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<RunningApp> {
  const { log, logs } = memoryLog()
  const database = await createTestDatabase()
  closers.push(() => database.drop())
  const databaseProxy = await startProxy(database.url)
  closers.push(() => databaseProxy.stop())
  const way = (await options.throughProxy?.(database.url)) ?? databaseProxy
  if (way !== databaseProxy) closers.push(() => way.stop())
  const folder = await mkdtemp(join(tmpdir(), 'wavemill-api-'))
  closers.push(() => rm(folder, { recursive: true, force: true }))
  const wavStore = await createWavStore(options.wavDir ?? join(folder, 'wav'))

  const db = openDatabase({ url: database.url, applicationName: 'test', log })
  closers.push(() => db.close())
  const appDb = openDatabase({ url: way.url, applicationName: 'api under test', log })
  closers.push(() => appDb.close())
  const queue = await openSegmentQueue({ databaseUrl: database.url, redisUrl: options.redisUrl, log })
  closers.push(() => queue.close())
  const watch = openRecordWatch({ databaseUrl: way.url, log })
  closers.push(() => watch.close())

  const settings = {
    ...parseSettings({ ...UNHURRIED, MIN_FREE_DISK_MB: '0', MAX_UPLOAD_MB: '8', DATA_DIR: folder }),
    ...options.settings,
    databaseUrl: way.url,
  }
  const app = await buildApp({
    db: appDb,
    wavStore: options.wrapStore?.(wavStore) ?? wavStore,
    queue,
    watch,
    log,
    settings,
    // On a machine that is busy with other tests the event loop is late often enough.
    limits: { maxEventLoopDelayMs: 0, ...options.limits },
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  closers.push(async () => {
    app.server.closeAllConnections()
    await app.close()
  })
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('No TCP port')
  const baseUrl = `http://127.0.0.1:${address.port}`
  const description = await fetch(`${baseUrl}/openapi.json`)
  if (!description.ok) throw new Error(`/openapi.json: ${description.status} ${logs()}`)
  checkAnswers(app.server, (await description.json()) as OpenApiDocument)

  return {
    baseUrl,
    port: address.port,
    db,
    wavStore,
    queue,
    watch,
    databaseProxy,
    logs,
    close: () => app.close(),
    stop,
    async createUser(name = `user ${++users}`) {
      const answer = await fetch(`${baseUrl}/user`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name }),
      })
      if (answer.status !== 201) throw new Error(`POST /user: ${answer.status} ${await answer.text()}`)
      return (await answer.json()) as User
    },
    stored: () => countStored(db, wavStore),
  }
}

async function countStored(db: Database, wavStore: WavStore): Promise<Stored> {
  const [users, records, segments] = await Promise.all([
    db.prisma.user.count(),
    db.prisma.record.count(),
    db.prisma.segment.count(),
  ])
  const files = (await wavStore.list()).map(({ name }) => name).sort()
  return { users, records, segments, files }
}

function memoryLog() {
  const lines: string[] = []
  const sink = new Writable({
    write(line, _encoding, done) {
      lines.push(String(line))
      done()
    },
  })
  return { log: pino({ level: 'trace' }, sink), logs: () => lines.join('') }
}
