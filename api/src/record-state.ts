/** Finds the record of a link, and says what it looks like from outside. */
import { failureTitles, isFailureCode } from '@wavemill/core/failures'
import type { Database } from '@wavemill/prisma/database'
import { findRecord, type RecordState } from '@wavemill/prisma/records'
import Type, { type Static } from 'typebox'
import type { LookAhead } from './outlook.ts'
import { Problem } from './problem.ts'
import { parseUuid } from './uuid.ts'

/** The query of a link. More may stand in it: people append things to links. */
export const LinkQuery = Type.Object({ id: Type.String(), user: Type.String() })

/** A recording that is not ready yet. */
export const WaitingState = Type.Object({
  status: Type.Union([Type.Literal('queued'), Type.Literal('processing')]),
  /** 0..1; never falls. */
  progress: Type.Number(),
  /** How many recordings are before it. */
  position: Type.Integer(),
  /** How long it takes until it is ready, as far as the recordings before it tell. */
  estimatedSeconds: Type.Integer(),
  /** Seconds, the same as the header `Retry-After`. */
  retryAfter: Type.Integer(),
})
export type WaitingState = Static<typeof WaitingState>

/** A link that can be one: both are UUIDs in lower case. */
export interface Link {
  readonly id: string
  readonly userId: string
}

/** A record that is no tombstone. */
export type LinkedRecord = RecordState & { readonly status: 'queued' | 'processing' | 'ready' | 'failed' }

/**
 * @throws Problem `unknown-record` if there is none of this id, or it is another user's; `gone` if it was removed.
 */
export async function findLinkedRecord(db: Database, query: Static<typeof LinkQuery>): Promise<LinkedRecord> {
  const link = parseLink(query)
  return linkedRecordOf(link && (await findRecord(db, link)))
}

/** @returns undefined for what cannot be a link of ours. */
export function parseLink(query: Static<typeof LinkQuery>): Link | undefined {
  const id = parseUuid(query.id)
  const userId = parseUuid(query.user)
  return id === undefined || userId === undefined ? undefined : { id, userId }
}

/** @throws as {@link findLinkedRecord}. */
export function linkedRecordOf(record: RecordState | undefined): LinkedRecord {
  if (record === undefined) throw new Problem('unknown-record', 'There is no such recording of this user.')
  const { status } = record
  if (status === 'deleted') throw new Problem('gone', 'The recording was deleted.')
  if (status === 'expired') throw new Problem('gone', 'The recording was kept for its time and is gone.')
  return { ...record, status }
}

/** @returns undefined unless the record is queued or processing. */
export async function waitingStateOf(
  lookAhead: LookAhead,
  record: RecordState,
): Promise<WaitingState | undefined> {
  const { status, progress } = record
  if (status !== 'queued' && status !== 'processing') return undefined
  return { status, progress, ...(await lookAhead(record)) }
}

/** Why transcoding failed for good; undefined unless it did. */
export function failureOf(record: RecordState): { code: string; reason: string } | undefined {
  const { status, failureCode, failureDetail } = record
  if (status !== 'failed' || failureCode === undefined) return undefined
  const title = isFailureCode(failureCode) ? failureTitles[failureCode] : 'Transcoding failed.'
  return { code: failureCode, reason: failureDetail ? `${title} ${failureDetail}` : title }
}

/** @throws Problem `transcoding-failed` if it failed for good. */
export function refuseFailed(record: RecordState): void {
  const failure = failureOf(record)
  if (failure === undefined) return
  throw new Problem('transcoding-failed', failure.reason, { members: { failure } })
}
