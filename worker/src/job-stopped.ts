/** Why a running job is told to stop: the reason of the AbortSignal that `consumeSegments` gives to each job. */

export type StopReason =
  | 'lock-lost' // the queue took the job away, and another worker may have it already
  | 'cancelled' // its record was deleted
  | 'shutdown' // this process is about to end

const sentences: Readonly<Record<StopReason, string>> = {
  'lock-lost': 'The lock of the job was lost.',
  cancelled: 'The record was cancelled.',
  shutdown: 'The worker is shutting down.',
}

/** What `signal.reason` of a job is, and so what `signal.throwIfAborted()` throws. */
export class JobStopped extends Error {
  readonly reason: StopReason
  constructor(reason: StopReason) {
    super(sentences[reason])
    this.name = 'JobStopped'
    this.reason = reason
  }
}
