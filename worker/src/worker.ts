/** A worker without its process: takes jobs, transcodes, reconciles; what it needs comes in as arguments. */
import type { SegmentJob } from '@wavemill/core/queue'
import { describeError } from '@wavemill/core/quiet-errors'
import { settlesWithin } from '@wavemill/core/within'
import { isDatabaseAway } from '@wavemill/prisma/database-away'
import type { Listener } from '@wavemill/prisma/listen'
import { heedCancellations } from './cancellations.ts'
import { type Consumer, consumeSegments } from './consume.ts'
import type { ReconcilerTools } from './reconcile.ts'
import { type Reconciler, startReconciler } from './reconciler.ts'
import { transcodeSegment } from './transcode-segment.ts'

export interface WorkerOptions extends ReconcilerTools {
  /** undefined: the queue lives in PostgreSQL. */
  readonly redisUrl: string | undefined
  readonly queueName?: string
  /** Segments that are transcoded at once. */
  readonly concurrency: number
  /** For how long a job belongs to a worker that gives no sign of life; consume.ts has a default. */
  readonly lockMs?: number
  readonly reconcileEveryMs?: number
}

export interface TranscodingWorker {
  start(): void
  /** Gives running segments most of the time to end and hands the others back; no ffmpeg is left. */
  close(timeoutMs: number): Promise<void>
}

// BullMQ forgets a job a moment after it ended, and until then another of the same id is not added.
const ENDED_JOB_MS = 200

export function buildWorker(options: WorkerOptions): TranscodingWorker {
  const { log, queue } = options
  const retries = new Set<NodeJS.Timeout>()
  let consumer: Consumer | undefined
  let cancellations: Listener | undefined
  let reconciler: Reconciler | undefined

  async function onJob(job: SegmentJob, signal: AbortSignal): Promise<void> {
    try {
      const retryInMs = await transcodeSegment(options, job, signal)
      if (retryInMs !== undefined) retryLater(job, retryInMs)
    } catch (error) {
      if (!isDatabaseAway(error)) throw error
      log.warn(
        { ...job, reason: describeError(error) },
        'The database is away: the reconciler will take this up',
      )
    }
  }

  /** Sooner than the reconciler would, and before all that wait for their turn; if this process ends before, the reconciler does it. */
  function retryLater(job: SegmentJob, delayMs: number): void {
    const timer = setTimeout(() => {
      retries.delete(timer)
      queue
        .add([job])
        .catch((error) => log.debug({ ...job, reason: describeError(error) }, 'A job was not added'))
    }, delayMs + ENDED_JOB_MS)
    retries.add(timer)
  }

  return {
    start() {
      reconciler = startReconciler(options, options.reconcileEveryMs)
      consumer = consumeSegments({
        ...options,
        ...(options.queueName !== undefined && { name: options.queueName }),
        onJob,
      })
      cancellations = heedCancellations(options, consumer)
    },
    async close(timeoutMs) {
      const reconciled = reconciler?.stop()
      await consumer?.close(timeoutMs - 500)
      for (const timer of retries) clearTimeout(timer)
      await settlesWithin(500, Promise.all([reconciled, cancellations?.close()]))
    },
  }
}
