/** Ends a recording that cannot become an MP3: its record fails with a reason, and its WAV goes. */
import type { FailureCode } from '@wavemill/core/failures'
import { failRecord } from '@wavemill/prisma/fail-record'
import type { WorkerTools } from './worker-tools.ts'

export interface FinalFailure {
  readonly code: FailureCode
  readonly detail: string
  /** In whose name, if an attempt at a segment decides it. */
  readonly attempt?: { readonly seq: number; readonly attempt: number }
}

/** Changes nothing if the record ended otherwise meanwhile, or the attempt is no longer the segment's own. */
export async function failForGood(
  { db, wavStore, log }: WorkerTools,
  recordKey: bigint,
  { code, detail, attempt }: FinalFailure,
): Promise<void> {
  if (!(await failRecord(db, { recordKey, code, detail, attempt }))) return
  log.warn({ recordKey: recordKey.toString(), code, detail }, 'A recording has failed')
  await wavStore.remove(recordKey)
}
