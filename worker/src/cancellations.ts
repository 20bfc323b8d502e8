/** Stops the work on records that were deleted or have failed, whichever worker of the fleet it runs on. */
import type { Log } from '@wavemill/core/log'
import type { Database } from '@wavemill/prisma/database'
import { type Listener, listen } from '@wavemill/prisma/listen'
import { keysInNeedOfWav } from '@wavemill/prisma/reconcile'
import { CANCEL_CHANNEL } from '@wavemill/prisma/remove-content'
import type { Consumer } from './consume.ts'

export interface CancellationTools {
  readonly db: Database
  readonly databaseUrl: string
  readonly log: Log
}

/** An announcement stops the record's jobs at once; after each new connection, those are stopped that were missed. */
export function heedCancellations(
  { db, databaseUrl, log }: CancellationTools,
  consumer: Pick<Consumer, 'cancelRecord' | 'runningRecords'>,
): Listener {
  async function stopUnwanted(): Promise<void> {
    const running = consumer.runningRecords()
    const wanted = await keysInNeedOfWav(db, running)
    for (const key of running) {
      if (!wanted.has(key)) consumer.cancelRecord(key)
    }
  }

  return listen({
    url: databaseUrl,
    applicationName: 'wavemill cancellations',
    channel: CANCEL_CHANNEL,
    log,
    onNotice(payload) {
      if (/^\d+$/.test(payload)) consumer.cancelRecord(BigInt(payload))
    },
    onListening: stopUnwanted,
  })
}
