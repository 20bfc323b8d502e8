/** Follows one record through its changes, for long polls and event streams. */
import { isDatabaseAway } from '@wavemill/prisma/database-away'
import { createBell } from './bell.ts'
import type { Moment, ReadMoment } from './moment.ts'
import type { Link } from './record-state.ts'
import type { RecordWatch } from './record-watch.ts'

/** While the database is away, its return is looked for so often. */
const AWAY_MS = 1_000

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
 * more. Nothing is held between: a follower that nothing happens to is a place in a set.
 */
export function createFollow(readMoment: ReadMoment, watch: RecordWatch): Follow {
  return async function* follow(link, { signal, refreshMs }) {
    let latest = await readMoment(link)
    if (latest.record === undefined || latest.waiting === undefined || signal.aborted) return yield latest
    const bell = createBell()
    // From here on no change is missed; those between the first reading and this are in the second.
    const unsubscribe = watch.subscribe(latest.record.key, bell.ring)
    // Not left to `finally`: whoever lost interest may never ask for the next moment.
    const stop = () => {
      unsubscribe()
      bell.ring()
    }
    signal.addEventListener('abort', stop)
    try {
      for (;;) {
        const moment = await readMoment(link).catch(unlessAway)
        latest = moment ?? latest
        yield latest
        if (latest.waiting === undefined || signal.aborted) return
        const pauseMs = moment === undefined ? AWAY_MS : msToExpiry(latest)
        await bell.wait(Math.min(refreshMs, pauseMs))
      }
    } finally {
      unsubscribe()
      signal.removeEventListener('abort', stop)
    }
  }
}

/** Nobody announces that a recording expires, which it may do while it waits. */
function msToExpiry({ record }: Moment): number {
  const expiresAt = record?.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY
  return Math.max(1, expiresAt - Date.now())
}

/** Whoever waits already goes on waiting: the database comes back. */
function unlessAway(error: unknown): undefined {
  if (!isDatabaseAway(error)) throw error
}
