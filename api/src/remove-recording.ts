/** Removes a recording in whatever state it is: what is running is stopped; its rows, chunks, file and waiting jobs go. */
import { describeError } from '@wavemill/core/quiet-errors'
import { deleteRecord, type RecordState } from '@wavemill/prisma/records'
import type { AppParts } from './parts.ts'

export type RemovalParts = Pick<AppParts, 'db' | 'wavStore' | 'queue' | 'log'>

/** What is known of a recording that goes. */
type Removable = Pick<RecordState, 'key' | 'status' | 'segmentsTotal'>

/** May be called again and again: what an earlier call could not remove goes then. */
export async function removeRecording(parts: RemovalParts, record: Removable): Promise<void> {
  await deleteRecord(parts.db, record.key) // also tells the workers
  await removeLeftovers(parts, record)
}

/** Removes what lies outside the database. */
export async function removeLeftovers(parts: RemovalParts, record: Removable): Promise<void> {
  await parts.wavStore.remove(record.key)
  if (record.status === 'queued' || record.status === 'processing') await removeJobs(parts, record)
}

/** A job that stays finds no segment and ends, so a queue that is away hinders nobody. */
async function removeJobs({ queue, log }: RemovalParts, { key, segmentsTotal }: Removable): Promise<void> {
  const recordKey = key.toString()
  try {
    await queue.remove(Array.from({ length: segmentsTotal }, (_, seq) => ({ recordKey, seq })))
  } catch (error) {
    log.warn({ reason: describeError(error), recordKey }, 'jobs not removed; they end by themselves')
  }
}
