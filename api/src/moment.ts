/** Reads what a record is like at this moment: once for all who ask at the same time, however many poll or wait. */
import { createSharedReads } from '@wavemill/core/share-reads'
import type { Database } from '@wavemill/prisma/database'
import { findRecord, type RecordState } from '@wavemill/prisma/records'
import type { LookAhead } from './outlook.ts'
import { type Link, type WaitingState, waitingStateOf } from './record-state.ts'

export interface Moment {
  /** Undefined if there is none of this link. Deleted and expired ones are still there for a while. */
  readonly record: RecordState | undefined
  /** Undefined once nothing more will change but its removal. */
  readonly waiting: WaitingState | undefined
}

/** @param link undefined for what cannot be one. */
export type ReadMoment = (link: Link | undefined) => Promise<Moment>

export function createReadMoment(db: Database, lookAhead: LookAhead): ReadMoment {
  const share = createSharedReads<Moment>()
  async function read(link: Link): Promise<Moment> {
    const record = await findRecord(db, link)
    return { record, waiting: record && (await waitingStateOf(lookAhead, record)) }
  }
  return async (link) => {
    if (link === undefined) return { record: undefined, waiting: undefined }
    return await share(`${link.id} ${link.userId}`, () => read(link))
  }
}
