/** Hears what is announced by NOTIFY, on a connection of its own that is made again whenever it breaks. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@wavemill/core/log'
import { createQuietErrorLog } from '@wavemill/core/quiet-errors'
import { settlesWithin, within } from '@wavemill/core/within'
import pg from 'pg'
import { connectionConfig } from './database.ts'

export interface ListenOptions {
  readonly url: string
  /** What `pg_stat_activity` calls the connection. */
  readonly applicationName: string
  /** A name that needs no quotes in SQL. */
  readonly channel: string
  readonly log: Log
  /** How often a connection is asked whether it is still there: a host may go without a word. @defaultValue 15 s */
  readonly checkEveryMs?: number
  /** Something was announced. */
  onNotice(payload: string): void
  /**
   * It listens, for the first time or again. Whatever was announced before was missed, so the state must be read now. If
   * it rejects, the connection is made anew, and this called again.
   */
  onListening(): void | Promise<void>
}

export interface Listener {
  /** Resolves within a second, also while the database is away. */
  close(): Promise<void>
}

const RETRY_MS = 500
const CHECK_MS = 15_000
const ANSWER_MS = 5_000
const GOODBYE_MS = 500

/** Begins to listen as soon as the database answers, and goes on until it is closed. */
export function listen(options: ListenOptions): Listener {
  const closing = new AbortController()
  const reportError = createQuietErrorLog(options.log, 'The connection that listens to the database broke')

  async function keepListening(): Promise<void> {
    while (!closing.signal.aborted) {
      await listenOnce(options, closing.signal).catch((error) => {
        if (!closing.signal.aborted) reportError(error)
      })
      await sleep(RETRY_MS, undefined, { signal: closing.signal }).catch(() => undefined)
    }
  }

  const ended = keepListening()
  return {
    async close() {
      closing.abort()
      await settlesWithin(2 * GOODBYE_MS, ended)
    },
  }
}

/** Never resolves: rejects once the connection has broken, or `closing` aborts. */
async function listenOnce(options: ListenOptions, closing: AbortSignal): Promise<never> {
  const client = new pg.Client({
    ...connectionConfig(options.url),
    application_name: options.applicationName,
  })
  const broken = new AbortController()
  client.on('error', (error) => broken.abort(error))
  client.on('end', () => broken.abort(new Error('The connection ended')))
  client.on('notification', ({ payload = '' }) => options.onNotice(payload))
  const signal = AbortSignal.any([closing, broken.signal])
  const ask = (sql: string) => within(ANSWER_MS, 'The database', client.query(sql))
  try {
    await client.connect()
    await ask(`LISTEN ${options.channel}`)
    await options.onListening()
    for (;;) {
      await sleep(options.checkEveryMs ?? CHECK_MS, undefined, { signal }).catch(() =>
        signal.throwIfAborted(),
      )
      await ask('SELECT 1')
    }
  } finally {
    await settlesWithin(GOODBYE_MS, client.end())
  }
}
