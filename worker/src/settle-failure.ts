/** Decides what an attempt that did not succeed means: nothing, a later try, or the end of the recording. */
import { TranscodeError } from '@wavemill/core/failures'
import { describeError } from '@wavemill/core/quiet-errors'
import { isDatabaseAway } from '@wavemill/prisma/database-away'
import { waitForDatabase } from '@wavemill/prisma/migrations'
import { handBackSegment, postponeSegment } from '@wavemill/prisma/segments'
import type { TakenSegment } from '@wavemill/prisma/take-segment'
import { failForGood } from './fail-for-good.ts'
import { JobStopped } from './job-stopped.ts'
import { StaleAttempt } from './stale-attempt.ts'
import type { WorkerTools } from './worker-tools.ts'

const DATABASE_WAIT_MS = 60_000

/**
 * @param signal the job's own: once it aborted, every error is only its echo.
 * @returns after how many milliseconds the segment should be tried again; undefined if not by us.
 * @throws if the database cannot be told; the segment then stays taken, which the next attempt counts as a death.
 */
export async function settleFailure(
  tools: WorkerTools,
  segment: TakenSegment,
  signal: AbortSignal,
  error: unknown,
): Promise<number | undefined> {
  const { db } = tools
  const log = tools.log.child({
    recordKey: segment.recordKey.toString(),
    seq: segment.seq,
    attempt: segment.attempt,
  })
  if (signal.aborted) {
    const isShutdown = signal.reason instanceof JobStopped && signal.reason.reason === 'shutdown'
    // After a lost lock it stays taken: the next attempt counts that, so that it cannot go on for ever.
    if (isShutdown) await handBackSegment(db, segment)
    return undefined
  }
  if (error instanceof StaleAttempt) {
    log.info('A segment is no longer ours')
    return undefined
  }
  if (!(error instanceof TranscodeError) && isDatabaseAway(error)) {
    log.warn({ reason: describeError(error) }, 'The database went away during a segment')
    const patience = AbortSignal.any([signal, AbortSignal.timeout(DATABASE_WAIT_MS)])
    await waitForDatabase(db, { log, signal: patience }).catch(() => {
      throw error
    })
    return (await handBackSegment(db, segment)) ? 0 : undefined
  }
  const failure = asTranscodeError(error)
  log.warn({ code: failure.code, err: failure }, 'An attempt at a segment failed')
  return await settleTranscodeError(tools, segment, failure)
}

async function settleTranscodeError(
  tools: WorkerTools,
  segment: TakenSegment,
  { code, message, permanent }: TranscodeError,
): Promise<number | undefined> {
  const { recordKey, seq, attempt, errors } = segment
  // A killed ffmpeg, or one that could not be started, says nothing about the recording.
  const countsAs = code === 'workers-died' ? 'death' : 'error'
  if (permanent || (countsAs === 'error' && errors + 1 >= tools.segmentAttempts)) {
    await failForGood(tools, recordKey, { code, detail: message, attempt: { seq, attempt } })
    return undefined
  }
  const retryInMs = backoffMs(countsAs === 'error' ? errors : attempt - 1)
  const later = { recordKey, seq, attempt, failure: message, retryInMs, countsAs } as const
  return (await postponeSegment(tools.db, later)) ? retryInMs : undefined
}

/** What is no failure of the transcode itself, such as a disk that cannot be read, may pass: it is tried again. */
function asTranscodeError(error: unknown): TranscodeError {
  if (error instanceof TranscodeError) return error
  const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unexpected error'
  return new TranscodeError('attempts-exhausted', reason, { permanent: false, cause: error })
}

/** 1, 4, 16, 16 ... seconds. */
function backoffMs(triesBefore: number): number {
  return 1_000 * 4 ** Math.min(triesBefore, 2)
}
