/** Puts right what a crash, a lost queue or an outage left behind, from what PostgreSQL says; needs nothing of the queue. */

import type { NewJob, SegmentQueue } from '@wavemill/core/queue'
import { describeError } from '@wavemill/core/quiet-errors'
import { isDatabaseAway } from '@wavemill/prisma/database-away'
import { purgeKeys } from '@wavemill/prisma/idempotency-keys'
import {
  dueSegments,
  expireRecords,
  fullRecords,
  purgeTombstones,
  type SegmentKey,
  usedUpSegments,
  withReconcilerLock,
} from '@wavemill/prisma/reconcile'
import { failForGood } from './fail-for-good.ts'
import { finishRecord } from './finish-record.ts'
import { sweepWavStore } from './sweep-wav-store.ts'
import type { WorkerTools } from './worker-tools.ts'

const PAGE = 1_000
const TOMBSTONE_DAYS = 30

export interface ReconcilerTools extends WorkerTools {
  readonly databaseUrl: string
  readonly queue: SegmentQueue
}

const steps: Readonly<Record<string, (tools: ReconcilerTools) => Promise<void>>> = {
  'fail what is used up': failUsedUp,
  'finish full recordings': finishFull,
  'add missing jobs': addDueJobs,
  'expire recordings': expire,
  'purge tombstones': purge,
  'forget idempotency keys': forgetKeys,
  'sweep the WAV store': sweepWavStore,
}

/**
 * Does everything once, unless another process of the fleet is at it. An error of one step does not stop the others.
 *
 * @throws if the database is away.
 */
export async function reconcile(tools: ReconcilerTools): Promise<void> {
  await withReconcilerLock(tools.databaseUrl, async () => {
    for (const [name, step] of Object.entries(steps)) {
      try {
        await step(tools)
      } catch (error) {
        tools.log.warn({ step: name, reason: describeError(error) }, 'A step of the reconciler failed')
      }
    }
  })
}

/** Adds a job for each segment that is due: where there is one already, adding changes nothing. */
async function addDueJobs({ db, queue }: ReconcilerTools): Promise<void> {
  let after: SegmentKey | undefined
  do {
    const page = await dueSegments(db, after, PAGE)
    const jobs = page.map(
      ({ recordKey, seq, priority }): NewJob => ({ recordKey: recordKey.toString(), seq, priority }),
    )
    if (jobs.length > 0) await queue.add(jobs)
    after = page.length === PAGE ? page.at(-1) : undefined
  } while (after !== undefined)
}

async function finishFull(tools: ReconcilerTools): Promise<void> {
  for (const key of await fullRecords(tools.db, PAGE)) {
    try {
      await finishRecord(tools, key)
    } catch (error) {
      if (isDatabaseAway(error)) throw error
      tools.log.error({ recordKey: key.toString(), err: error }, 'A recording could not be finished')
    }
  }
}

async function failUsedUp(tools: ReconcilerTools): Promise<void> {
  const { db, segmentAttempts } = tools
  for (const { recordKey, errors, failure } of await usedUpSegments(db, { segmentAttempts })) {
    const code = errors >= segmentAttempts ? 'attempts-exhausted' : 'workers-died'
    await failForGood(tools, recordKey, { code, detail: failure ?? '' })
  }
}

async function expire({ db, log, wavStore }: ReconcilerTools): Promise<void> {
  let expired: bigint[]
  do {
    expired = await expireRecords(db, PAGE)
    for (const key of expired) await wavStore.remove(key)
    if (expired.length > 0) log.info({ records: expired.length }, 'Recordings have expired')
  } while (expired.length === PAGE)
}

async function purge({ db }: ReconcilerTools): Promise<void> {
  while ((await purgeTombstones(db, TOMBSTONE_DAYS, PAGE)) === PAGE);
}

async function forgetKeys({ db }: ReconcilerTools): Promise<void> {
  while ((await purgeKeys(db, PAGE)) === PAGE);
}
