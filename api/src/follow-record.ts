/** Follows one record through its changes, for long polls and event streams. */
import type { Database } from '@wavemill/prisma/database'
import { isDatabaseAway } from '@wavemill/prisma/database-away'
import { findRecord, type RecordState } from '@wavemill/prisma/records'
import { createBell } from './bell.ts'
import type { LookAhead } from './outlook.ts'
import { type Link, type WaitingState, waitingStateOf } from './record-state.ts'
import type { RecordWatch } from './record-watch.ts'
import { createSharedReads } from './share-reads.ts'

/** While the database is away, its return is looked for so often. */
const AWAY_MS = 1_000

/** A record as it was at one moment. */
export interface Moment {
  /** Undefined if there is none of this link. Deleted and expired ones are still there for a while. */
  readonly record: RecordState | undefined
  /** Undefined once nothing more will change but its removal. */
  readonly waiting: WaitingState | undefined
}

export interface FollowOptions {
  /** Ends it, after the latest moment. */
  readonly signal: AbortSignal
  /** Where nothing is announced, it looks again so often: a position changes without announcement. */
  readonly refreshMs: number
}

export type Follow = (
  /** Undefined for what cannot be one. */
  link: Link | undefined,
  options: FollowOptions,
) => AsyncGenerator<Moment, void, undefined>

/**
 * @returns a function that yields a record's state at once, and again whenever it may have changed, until it waits no
 * more. Whatever the number of followers, a change of a record costs one reading of it; no connection is held between.
 */
export function createFollow(parts: {
  readonly db: Database
  readonly watch: RecordWatch
  readonly lookAhead: LookAhead
}): Follow {
  const share = createSharedReads<Moment>()
  async function readMoment(link: Link): Promise<Moment> {
    const record = await findRecord(parts.db, link)
    return { record, waiting: record && (await waitingStateOf(parts.lookAhead, record)) }
  }

  return async function* follow(link, { signal, refreshMs }) {
    if (link === undefined) return yield { record: undefined, waiting: undefined }
    const read = () => share(`${link.id} ${link.userId}`, () => readMoment(link))
    let latest = await read()
    if (latest.record === undefined || latest.waiting === undefined || signal.aborted) return yield latest
    const bell = createBell()
    // From here on no change is missed; those between the first reading and this are in the second.
    const unsubscribe = parts.watch.subscribe(latest.record.key, bell.ring)
    // Not left to `finally`: whoever lost interest may never ask for the next moment.
    const stop = () => {
      unsubscribe()
      bell.ring()
    }
    signal.addEventListener('abort', stop)
    try {
      for (;;) {
        const moment = await read().catch(unlessAway)
        latest = moment ?? latest
        yield latest
        if (latest.waiting === undefined || signal.aborted) return
        await bell.wait(moment === undefined ? Math.min(AWAY_MS, refreshMs) : refreshMs)
      }
    } finally {
      unsubscribe()
      signal.removeEventListener('abort', stop)
    }
  }
}

/** Whoever waits already goes on waiting: the database comes back. */
function unlessAway(error: unknown): undefined {
  if (!isDatabaseAway(error)) throw error
}
