/** Checks an installation's books: what PostgreSQL and the WAV store say must add up, also while the service runs. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { WavStore } from '@wavemill/core/wav-store'
import { auditKeys } from './audit-keys.ts'
import { auditLeftovers } from './audit-leftovers.ts'
import { auditReady } from './audit-ready.ts'
import { auditUnfinished } from './audit-unfinished.ts'
import { auditWavStore } from './audit-wav-store.ts'
import type { Database } from './database.ts'

export type FaultKind =
  // Records in `queued` or `processing` that nothing will ever finish.
  | 'segments-missing' // there are fewer or more segments than the record counts
  | 'wrong-count' // the counter of done segments is not their number
  | 'segment-incomplete' // the chunks of a done segment do not make up its size
  | 'used-up-not-failed' // a segment will not be tried again, and the record has not failed
  | 'never-due' // a segment is put off for longer than anything puts it off
  | 'full-not-finished' // all is done, and nobody finishes it
  // Ready records that cannot be downloaded as promised.
  | 'no-head' // the tag and Info frame are missing
  | 'wrong-size' // the chunks do not make up the size
  | 'wrong-digest' // the bytes are not those that were finished
  // Rows that belong to nothing.
  | 'chunks-without-record'
  | 'chunks-of-ended-record' // deleted, expired or failed
  | 'stray-chunks' // of a segment that does not exist, or a head in front of an unfinished record
  | 'segments-without-record'
  | 'segments-of-ended-record'
  // Idempotency keys.
  | 'key-of-another-user'
  | 'keys-not-forgotten' // expired, and not removed
  // The WAV store.
  | 'wav-missing' // a record waits for it
  | 'wav-wrong-size'
  | 'wav-not-needed' // no record waits for it
  | 'stale-temporary' // of an upload that is over

export interface Fault {
  readonly kind: FaultKind
  readonly recordKey?: bigint
  /** A name in the WAV store. */
  readonly file?: string
  /** A sentence for people. */
  readonly detail: string
}

/** What an audit looks at: everything, or only these records. */
export type Scope = readonly bigint[] | undefined

export interface BooksOptions {
  /**
   * How long a suspicion must stand to be a fault: on a live service much is half done at any moment, and the reconciler
   * may take ten seconds to see to something. 15 s unless told.
   */
  readonly settleMs?: number
  /** SEGMENT_ATTEMPTS; without it, errors use up no segment. */
  readonly segmentAttempts?: number
}

const MAX_FAULTS = 1_000

/**
 * Reads every record, and the bytes of every MP3, in bounded memory.
 *
 * @returns what does not add up, at most a thousand faults; empty where all does.
 * @throws an error of the database or the file system: then nothing is known.
 */
export async function checkBooks(
  db: Database,
  wavStore: WavStore,
  options: BooksOptions = {},
): Promise<Fault[]> {
  const look = (scope: Scope) => collect(audit(db, wavStore, options, scope))
  const suspicions = await look(undefined)
  if (suspicions.length === 0) return []
  await sleep(options.settleMs ?? 15_000)
  const standing = new Set(suspicions.map(identity))
  const keys = suspicions.flatMap(({ recordKey }) => recordKey ?? [])
  return (await look(keys)).filter((fault) => standing.has(identity(fault)))
}

async function* audit(
  db: Database,
  wavStore: WavStore,
  options: BooksOptions,
  scope: Scope,
): AsyncGenerator<Fault> {
  yield* auditUnfinished(db, scope, options.segmentAttempts)
  yield* auditReady(db, scope)
  yield* auditLeftovers(db, scope)
  yield* auditKeys(db, scope)
  yield* auditWavStore(db, wavStore, scope)
}

async function collect(found: AsyncIterable<Fault>): Promise<Fault[]> {
  const faults: Fault[] = []
  for await (const fault of found) {
    faults.push(fault)
    if (faults.length === MAX_FAULTS) break
  }
  return faults
}

function identity({ kind, recordKey, file }: Fault): string {
  return [kind, recordKey, file].join('/')
}
