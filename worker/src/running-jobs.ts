/** The jobs under way in this process: keeps their locks, tells them when to stop, and gives up those that do not. */
import type { Log } from '@wavemill/core/log'
import type { SegmentJob } from '@wavemill/core/queue'
import { JobStopped, type StopReason } from './job-stopped.ts'

export interface RunningJobs {
  /**
   * Runs `work` as a running job until it ends or is abandoned; rejects as it does.
   *
   * @param renewLock resolves to false if the lock is somebody else's by now, and rejects while the queue is away.
   */
  run(
    job: SegmentJob,
    renewLock: () => Promise<boolean>,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void>
  /** Keys of the records whose jobs run. */
  recordKeys(): readonly string[]
  /** Aborts the signals of all jobs, or of one record's. Returns those that run. */
  stop(reason: StopReason, recordKey?: string): readonly SegmentJob[]
  /** Makes `run` reject for every job that still runs, whatever its work does. */
  abandon(): void
  /** Ends the renewal of locks. */
  close(): void
}

interface Run {
  readonly job: SegmentJob
  readonly stopper: AbortController
  readonly renewLock: () => Promise<boolean>
  readonly abandon: (reason: JobStopped) => void
  renewing: boolean
}

/** @param options.onRenewError is told when a lock cannot be renewed because the queue is away. */
export function createRunningJobs(options: {
  readonly lockMs: number
  readonly log: Log
  readonly onRenewError: (error: unknown) => void
}): RunningJobs {
  const { log } = options
  const runs = new Set<Run>()

  function stop(run: Run, reason: StopReason): void {
    if (run.stopper.signal.aborted) return
    log.info({ ...run.job, reason }, 'A job is told to stop')
    run.stopper.abort(new JobStopped(reason))
  }

  async function renew(run: Run): Promise<void> {
    if (run.renewing) return
    run.renewing = true
    try {
      if (!(await run.renewLock()) && runs.has(run)) stop(run, 'lock-lost')
    } catch (error) {
      options.onRenewError(error) // the work goes on: who may write is decided by the fence in PostgreSQL
    } finally {
      run.renewing = false
    }
  }

  const renewal = setInterval(() => {
    for (const run of runs) void renew(run)
  }, options.lockMs / 3)

  return {
    async run(job, renewLock, work) {
      let abandon: Run['abandon'] = () => {}
      const abandoned = new Promise<never>((_, reject) => {
        abandon = reject
      })
      const run: Run = { job, stopper: new AbortController(), renewLock, abandon, renewing: false }
      runs.add(run)
      try {
        await Promise.race([work(run.stopper.signal), abandoned])
      } catch (error) {
        // Once it was told to stop, an error says no more than that it stopped.
        if (!run.stopper.signal.aborted) log.error({ ...job, err: error }, 'A job failed unexpectedly')
        throw error
      } finally {
        runs.delete(run)
      }
    },
    recordKeys() {
      return [...new Set([...runs].map(({ job }) => job.recordKey))]
    },
    stop(reason, recordKey) {
      const chosen = [...runs].filter(({ job }) => recordKey === undefined || job.recordKey === recordKey)
      for (const run of chosen) stop(run, reason)
      return chosen.map(({ job }) => job)
    },
    abandon() {
      for (const run of runs) run.abandon(new JobStopped('shutdown'))
    },
    close() {
      clearInterval(renewal)
    },
  }
}
