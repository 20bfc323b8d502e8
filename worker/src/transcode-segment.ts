/** The story of one job: take the segment, encode it into chunks, mark it done, and finish the recording if it was the last. */
import type { SegmentJob } from '@wavemill/core/queue'
import { completeSegment } from '@wavemill/prisma/segments'
import { takeSegment } from '@wavemill/prisma/take-segment'
import { encodeSegment } from './encode-segment.ts'
import { finishRecord } from './finish-record.ts'
import { readSegmentPeaks } from './segment-peaks.ts'
import { settleFailure } from './settle-failure.ts'
import type { WorkerTools } from './worker-tools.ts'

/**
 * Works on a segment until it is done, failed, put off, or no longer ours; whatever happens is written in PostgreSQL.
 *
 * @returns after how many milliseconds the segment should be tried again; undefined if not by us.
 */
export async function transcodeSegment(
  tools: WorkerTools,
  job: SegmentJob,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { db, log } = tools
  const recordKey = BigInt(job.recordKey)
  const segment = await takeSegment(db, { recordKey, seq: job.seq, worker: tools.workerName })
  if (segment === undefined) return undefined // done, deleted, or not due yet

  const { seq, attempt } = segment
  log.debug({ recordKey: job.recordKey, seq, attempt }, 'A segment is taken')
  let outcome: 'stale' | 'done' | 'last'
  try {
    const bytes = await encodeSegment(tools, segment, signal)
    const peaks = await readSegmentPeaks(tools.wavStore, segment)
    outcome = await completeSegment(db, { recordKey, seq, attempt, bytes, peaks })
  } catch (error) {
    return await settleFailure(tools, segment, signal, error)
  }
  log.info({ recordKey: job.recordKey, seq, attempt, outcome }, 'A segment is encoded')
  // If this fails, the reconciler finishes what is full.
  if (outcome === 'last') await finishRecord(tools, recordKey)
  return undefined
}
