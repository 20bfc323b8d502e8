/** Takes segments' jobs off the queue and hands each to `onJob`, with a signal that says when to stop. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseSegmentJob, type QueueOptions, type SegmentJob, workerBackend } from '@wavemill/core/queue'
import { createQuietErrorLog } from '@wavemill/core/quiet-errors'
import { settlesWithin } from '@wavemill/core/within'
import { type IQueueBackend, type Job, Worker } from 'bullmq'
import { JobStopped, type StopReason } from './job-stopped.ts'

export interface ConsumeOptions extends QueueOptions {
  /** Jobs that run at once in this process. */
  readonly concurrency: number
  /**
   * Works on one segment. It resolves however the work ended, because that is written in PostgreSQL; it rejects only on
   * a bug, which is logged. When the signal aborts (its reason is a {@link JobStopped}) it should end soon.
   */
  onJob(job: SegmentJob, signal: AbortSignal): Promise<void>
  /** How long a job is this process's own without renewal. @defaultValue 10 s */
  readonly lockMs?: number
  /** How often jobs of dead processes are looked for; one is taken up again after lockMs + 1..2 of it. @defaultValue 5 s */
  readonly stalledCheckMs?: number
}

export interface Consumer {
  /**
   * Takes no new job, and gives those that run most of the time to end; then their signals abort, so that they can hand
   * their segments back; what has not ended even then is abandoned. Resolves within `timeoutMs`, also while the queue is away.
   *
   * @returns the jobs that were told to stop.
   */
  close(timeoutMs: number): Promise<readonly SegmentJob[]>
  /** Aborts the signals of all jobs of the record that run here. */
  cancelRecord(key: bigint): void
}

/** One job under way in this process. */
interface Run {
  readonly segment: SegmentJob
  readonly stopper: AbortController
  /** Ends the job for BullMQ, whatever `onJob` does. */
  readonly abandon: (reason: JobStopped) => void
  /** Resolves to false if the lock is somebody else's by now. */
  readonly renewLock: () => Promise<boolean>
  renewing: boolean
}

const RETRY_MS = 1_000
const HAND_BACK_MS = 4_000

// How often a segment's process died is counted in PostgreSQL: BullMQ itself must never give a job up.
const NEVER = 1_000_000

/** Starts to take jobs, as soon as the queue's server answers; until then, and when it goes away later, it keeps trying. */
export function consumeSegments(options: ConsumeOptions): Consumer {
  const { log, lockMs = 10_000 } = options
  const runs = new Set<Run>()
  const closing = new AbortController()
  const reportError = createQuietErrorLog(log, 'The queue has trouble')
  let worker = createWorker()

  function createWorker(): Worker<unknown, void, string, IQueueBackend> {
    const { name, connect } = workerBackend(options)
    const made = new Worker<unknown, void, string, IQueueBackend>(
      name,
      runJob,
      {
        connection: {},
        autorun: false,
        concurrency: options.concurrency,
        lockDuration: lockMs,
        skipLockRenewal: true, // renewed here, by token: see renewLocks
        stalledInterval: options.stalledCheckMs ?? 5_000,
        maxStalledCount: NEVER,
        runRetryDelay: RETRY_MS,
      },
      connect,
    )
    made.on('error', reportError)
    return made
  }

  async function runJob(job: Job<unknown>, token = ''): Promise<void> {
    const segment = parseSegmentJob(job.data)
    if (segment === undefined) {
      log.warn({ jobId: job.id }, 'A job that names no segment was dropped')
      return
    }
    let abandon: Run['abandon'] = () => {}
    const abandoned = new Promise<never>((_, reject) => {
      abandon = reject
    })
    const renewLock = async () => (await job.extendLock(token, lockMs)) === 1
    const run: Run = { segment, stopper: new AbortController(), abandon, renewLock, renewing: false }
    runs.add(run)
    try {
      await Promise.race([options.onJob(segment, run.stopper.signal), abandoned])
    } catch (error) {
      // Once the job was told to stop, an error says no more than that it stopped.
      if (!run.stopper.signal.aborted) log.error({ ...segment, err: error }, 'A job failed unexpectedly')
      throw error
    } finally {
      runs.delete(run)
    }
  }

  function stop(run: Run, reason: StopReason): void {
    if (run.stopper.signal.aborted) return
    log.info({ ...run.segment, reason }, 'A job is told to stop')
    run.stopper.abort(new JobStopped(reason))
  }

  /**
   * Renews the lock of each run. BullMQ's own renewal knows jobs by id only, so that of two runs of one id in this process
   * (a machine that slept: the first lost its lock) the end of the first would stop the renewal of the second.
   */
  function renewLocks(): void {
    for (const run of runs) {
      if (!run.renewing) void renew(run)
    }
  }

  async function renew(run: Run): Promise<void> {
    run.renewing = true
    try {
      if (!(await run.renewLock()) && runs.has(run)) stop(run, 'lock-lost')
    } catch (error) {
      reportError(error) // the queue is away: the fence in PostgreSQL decides who may write, so the work goes on
    } finally {
      run.renewing = false
    }
  }

  /** A Worker whose first connection to PostgreSQL failed stays broken, and so does one whose loop ended: make a new one. */
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
      if (!closing.signal.aborted) worker = createWorker()
    }
  }

  const renewal = setInterval(renewLocks, lockMs / 3)
  void keepConsuming()

  return {
    async close(timeoutMs) {
      const handBackMs = Math.min(HAND_BACK_MS, timeoutMs / 2)
      closing.abort()
      const closed = worker.close()
      if (await settlesWithin(timeoutMs - handBackMs, closed)) {
        clearInterval(renewal)
        return []
      }
      const cut = [...runs]
      for (const run of cut) stop(run, 'shutdown')
      if (!(await settlesWithin(handBackMs / 2, closed))) {
        for (const run of runs) run.abandon(new JobStopped('shutdown'))
        if (!(await settlesWithin(handBackMs / 4, closed))) {
          await settlesWithin(handBackMs / 4, worker.disconnect())
        }
      }
      clearInterval(renewal)
      return cut.map((run) => run.segment)
    },
    cancelRecord(key) {
      for (const run of runs) {
        if (run.segment.recordKey === key.toString()) stop(run, 'cancelled')
      }
    },
  }
}
