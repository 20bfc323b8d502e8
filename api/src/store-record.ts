/** Makes a record of a received WAV, in the order that loses none: durable file, then rows, then jobs. */
import { randomUUID } from 'node:crypto'
import { describeError } from '@wavemill/core/quiet-errors'
import { planRecording } from '@wavemill/core/segment-plan'
import { isDatabaseAway } from '@wavemill/prisma/database-away'
import type { HeldKey } from '@wavemill/prisma/idempotency-keys'
import {
  insertRecord,
  type NewRecord,
  reserveRecordKey,
  wasRecordInserted,
} from '@wavemill/prisma/insert-record'
import { quotaOf } from './admission.ts'
import { type Asker, audit } from './audit.ts'
import { type Expiry, expiryTime } from './expiry.ts'
import { cleanFileName } from './file-name.ts'
import type { AppParts } from './parts.ts'
import { unavailable } from './problem.ts'
import type { ReceivedWav } from './receive-wav.ts'
import type { UploadOptions } from './upload-options.ts'

const DAY_MS = 86_400_000

export interface AcceptedRecord {
  readonly id: string
  readonly userId: string
  readonly status: 'queued'
  /** It was accepted before, and this is the first answer again. */
  readonly isRepeated: boolean
}

export interface Recording {
  /** Who brings it, for the audit log. */
  readonly asker: Asker
  readonly userId: string
  /** As the client gave it. */
  readonly fileName: string
  readonly wav: ReceivedWav
  readonly options: Pick<UploadOptions, 'encode' | 'tags' | 'expiry'>
  readonly idempotencyKey?: HeldKey | undefined
}

/**
 * When this resolves the recording is safe: its file and its rows are durable. That its jobs could not be added
 * stops nothing, because the reconciler adds what is missing.
 *
 * @throws Problem `unavailable` if it is unknown whether the rows were written: then the file stays, for the reconciler to
 * decide. After any other error nothing is left.
 */
export async function storeRecord(parts: AppParts, recording: Recording): Promise<AcceptedRecord> {
  const key = await reserveRecordKey(parts.db)
  const record = toRecord(key, recording, parts.settings)
  try {
    await recording.wav.draft.commit(key)
  } catch (error) {
    await parts.wavStore.remove(key) // the folder's own sync may have failed after the renaming
    throw error
  }
  const priorities = await insertOrUndo(parts, record)
  if (priorities !== undefined) await addJobs(parts, key, priorities)
  audit(recording.asker, 'record-created', { userId: record.userId, recordKey: key.toString() })
  return { id: record.id, userId: record.userId, status: 'queued', isRepeated: false }
}

function toRecord(key: bigint, recording: Recording, settings: AppParts['settings']): NewRecord {
  const { wav } = recording
  const { source, codec } = wav.header
  const { encode, tags, expiry } = recording.options
  const { segmentSeconds, retentionDays } = settings
  const plan = planRecording(source, wav.samples, { segmentSeconds, encode })
  return {
    key,
    id: randomUUID(),
    userId: recording.userId,
    fileName: cleanFileName(recording.fileName),
    options: { encode, tags, wavTags: wav.tags },
    warnings: [...wav.warnings],
    codec,
    source,
    samples: wav.samples,
    wavBytes: wav.bytes,
    wavSha256: wav.sha256,
    segments: plan.segments,
    expiresAt: expiresAt(expiry, retentionDays),
    idempotencyKey: recording.idempotencyKey,
  }
}

/** What the operator keeps nobody can keep for longer. */
function expiresAt(expiry: Expiry | undefined, retentionDays: number): Date | undefined {
  const now = new Date()
  const times = expiry === undefined ? [] : [expiryTime(expiry, now).getTime()]
  if (retentionDays !== 0) times.push(now.getTime() + retentionDays * DAY_MS)
  return times.length === 0 ? undefined : new Date(Math.min(...times))
}

/** @returns the priority of each segment in the queue; undefined if the rows stand, but the database went away before it told. */
async function insertOrUndo(parts: AppParts, record: NewRecord): Promise<readonly number[] | undefined> {
  try {
    return await insertRecord(parts.db, record, quotaOf(parts.settings))
  } catch (error) {
    if (await wasInsertedDespite(error, parts, record)) return undefined // the reconciler adds its jobs
    await parts.wavStore.remove(record.key)
    throw error
  }
}

/** If the connection broke, the rows may have been committed all the same. */
async function wasInsertedDespite(error: unknown, parts: AppParts, record: NewRecord): Promise<boolean> {
  if (!isDatabaseAway(error)) return false // the database itself said no
  try {
    return await wasRecordInserted(parts.settings.databaseUrl, record.key)
  } catch (unknown) {
    parts.log.warn(
      { reason: describeError(unknown), recordKey: record.key },
      'stored or not? The reconciler decides',
    )
    throw unavailable('The database went away. Send the recording again in a moment.', error)
  }
}

async function addJobs({ queue, log }: AppParts, key: bigint, priorities: readonly number[]): Promise<void> {
  const recordKey = String(key)
  try {
    await queue.add(priorities.map((priority, seq) => ({ recordKey, seq, priority })))
  } catch (error) {
    log.warn({ reason: describeError(error), recordKey }, 'jobs not added; the reconciler will')
  }
}
