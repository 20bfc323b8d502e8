/** What a recording that waits can be told: how many are before it, how long it takes, and when to ask again. */
import type { Database } from '@wavemill/prisma/database'
import { measureSpeed } from '@wavemill/prisma/measure-speed'
import type { RecordState } from '@wavemill/prisma/records'
import { workBefore } from '@wavemill/prisma/rounds'
import { estimateSeconds, retryAfterSeconds } from './estimate.ts'
import { remember } from './remember.ts'

/** How old a position may be: polling costs the database one statement. */
const MEMORY_MS = 1_000

export interface Outlook {
  /** How many recordings are before it. */
  readonly position: number
  readonly estimatedSeconds: number
  /** 1..120. */
  readonly retryAfter: number
}

/** Only a moment is remembered, so one for each app is enough. */
export type LookAhead = (record: RecordState) => Promise<Outlook>

export function createLookAhead(db: Database): LookAhead {
  const before = remember(MEMORY_MS, (key: bigint) => workBefore(db, key))
  const speed = remember(MEMORY_MS, (_installation: 'all') => measureSpeed(db))
  return async ({ key, samples, sampleRate, progress }) => {
    const [{ records, audioSeconds }, measured] = await Promise.all([before(key), speed('all')])
    const ownSeconds = (samples / sampleRate) * (1 - progress)
    const estimatedSeconds = estimateSeconds(audioSeconds + ownSeconds, measured)
    return { position: records, estimatedSeconds, retryAfter: retryAfterSeconds(estimatedSeconds) }
  }
}
