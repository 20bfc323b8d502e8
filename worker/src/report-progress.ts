/** Writes how far an attempt has come, at most twice a second; the answer also tells early that it is no longer wanted. */
import type { Database } from '@wavemill/prisma/database'
import { reportProgress } from '@wavemill/prisma/segments'
import type { TakenSegment } from '@wavemill/prisma/take-segment'
import { StaleAttempt } from './stale-attempt.ts'

const INTERVAL_MS = 500

/** @returns a function that takes the number of frames kept so far. @throws StaleAttempt from that function. */
export function createProgressReport(db: Database, segment: TakenSegment): (frames: number) => Promise<void> {
  const { recordKey, seq, attempt } = segment
  let lastAt = Date.now()
  return async (frames) => {
    if (Date.now() - lastAt < INTERVAL_MS) return
    lastAt = Date.now()
    const progress = Math.min(1, frames / segment.frames)
    if (!(await reportProgress(db, { recordKey, seq, attempt, progress }))) throw new StaleAttempt()
  }
}
