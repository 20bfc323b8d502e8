/** Takes segments' jobs off the queue and hands each to `onJob`, with a signal that says when to stop. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseSegmentJob, type QueueOptions, type SegmentJob, workerBackend } from '@wavemill/core/queue'
import { createQuietErrorLog } from '@wavemill/core/quiet-errors'
import { settlesWithin } from '@wavemill/core/within'
import { type IQueueBackend, type Job, type Processor, Worker } from 'bullmq'
import { createRunningJobs, type RunningJobs } from './running-jobs.ts'

export interface ConsumeOptions extends QueueOptions {
  /** Jobs that run at once in this process. */
  readonly concurrency: number
  /**
   * Works on one segment. It resolves however the work ended, because that is written in PostgreSQL; it rejects only on
   * a bug, which is logged, and the reconciler adds the job again. When the signal aborts it should end soon: the
   * reason is a `JobStopped`.
   */
  onJob(job: SegmentJob, signal: AbortSignal): Promise<void>
  /** For how long a job belongs to this process without renewal. @defaultValue 10 s */
  readonly lockMs?: number
  /** How often jobs of dead processes are looked for: one runs again after lockMs and 1..2 of it. @defaultValue half of lockMs */
  readonly stalledCheckMs?: number
}

export interface Consumer {
  /**
   * Takes no new job, and lets the running ones end in the first part of the time; then their signals abort, so that
   * they hand their segments back; those that have not ended even then are abandoned. Resolves within `timeoutMs`, also
   * while the queue is away.
   *
   * @returns the jobs that were told to stop.
   */
  close(timeoutMs: number): Promise<readonly SegmentJob[]>
  /** Keys of the records that are worked on here. */
  runningRecords(): readonly bigint[]
  /** Tells all jobs of the record that run here to stop. */
  cancelRecord(key: bigint): void
}

type SegmentWorker = Worker<unknown, void, string, IQueueBackend>

const DEFAULT_LOCK_MS = 10_000
const RETRY_MS = 1_000
const HAND_BACK_MS = 4_000

// How often the process of a segment died is counted in PostgreSQL: BullMQ itself must never give a job up.
const NEVER = 1_000_000

/** Starts to take jobs as soon as the queue's server answers; until then, and when it goes away later, it keeps trying. */
export function consumeSegments(options: ConsumeOptions): Consumer {
  const { log, lockMs = DEFAULT_LOCK_MS } = options
  const reportError = createQuietErrorLog(log, 'The queue has trouble')
  const jobs = createRunningJobs({ lockMs, log, onRenewError: reportError })
  const closing = new AbortController()
  let worker = createWorker(options, runJob, reportError)
  void keepConsuming()

  async function runJob(bullJob: Job<unknown>, token = ''): Promise<void> {
    const job = parseSegmentJob(bullJob.data)
    if (job === undefined) {
      log.warn({ jobId: bullJob.id }, 'A job that names no segment was dropped')
      return
    }
    const renewLock = async () => (await bullJob.extendLock(token, lockMs)) === 1
    await jobs.run(job, renewLock, (signal) => options.onJob(job, signal))
  }

  /** A Worker whose first connection to PostgreSQL failed stays broken, and one whose loop ended is idle: make another. */
  async function keepConsuming(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await worker.waitUntilReady()
        await worker.run()
      } catch (error) {
        reportError(error)
      }
      if (closing.signal.aborted) return
      await settlesWithin(RETRY_MS, worker.close())
      await sleep(RETRY_MS, undefined, { signal: closing.signal }).catch(() => {})
      if (!closing.signal.aborted) worker = createWorker(options, runJob, reportError)
    }
  }

  return {
    async close(timeoutMs) {
      closing.abort()
      const cut = await closeWorker(worker, jobs, timeoutMs)
      jobs.close()
      return cut
    },
    runningRecords() {
      return jobs.recordKeys().map(BigInt)
    },
    cancelRecord(key) {
      jobs.stop('cancelled', key.toString())
    },
  }
}

function createWorker(
  options: ConsumeOptions,
  runJob: Processor<unknown, void>,
  onError: (error: unknown) => void,
): SegmentWorker {
  const { name, connect } = workerBackend(options)
  const lockMs = options.lockMs ?? DEFAULT_LOCK_MS
  const settings = {
    connection: {}, // the factory knows it
    autorun: false,
    concurrency: options.concurrency,
    lockDuration: lockMs,
    // BullMQ renews by job id. Where two runs of one id are in this process (the machine slept, and the first lost its
    // lock), the end of the first would end the renewal of the second. Ours renews by token.
    skipLockRenewal: true,
    stalledInterval: options.stalledCheckMs ?? lockMs / 2,
    maxStalledCount: NEVER,
    runRetryDelay: RETRY_MS,
  }
  const worker: SegmentWorker = new Worker(name, runJob, settings, connect)
  worker.on('error', onError)
  return worker
}

/** `worker.close()` waits for ever, for its jobs and for a server that is away: each step here has an end. */
async function closeWorker(
  worker: SegmentWorker,
  jobs: RunningJobs,
  timeoutMs: number,
): Promise<readonly SegmentJob[]> {
  const handBackMs = Math.min(HAND_BACK_MS, timeoutMs / 2)
  const closed = worker.close()
  if (await settlesWithin(timeoutMs - handBackMs, closed)) return []
  const cut = jobs.stop('shutdown')
  if (await settlesWithin(handBackMs / 2, closed)) return cut
  jobs.abandon()
  if (await settlesWithin(handBackMs / 4, closed)) return cut
  await settlesWithin(handBackMs / 4, worker.disconnect())
  return cut
}
