/** Holds an idempotency key for as long as its upload runs. */
import { randomUUID } from 'node:crypto'
import { describeError } from '@wavemill/core/quiet-errors'
import { settlesWithin } from '@wavemill/core/within'
import { holdKey, type KeyedRecord, type KeyHold, releaseKey } from '@wavemill/prisma/idempotency-keys'
import type { AppParts, Limits } from './parts.ts'
import { Problem } from './problem.ts'

/** Where the database is silent, the hold lapses by itself. */
const RELEASE_TIMEOUT_MS = 2_000

/** An upload's claim on its key. */
export interface KeyClaim {
  readonly hold: KeyHold
  /** What was made under the key before; undefined for the first upload with it, which holds it now. */
  readonly earlier: KeyedRecord | undefined
  /** Ends it. A key that a record got stays with it; any other can be used again at once. Never rejects. */
  release(): Promise<void>
}

type ClaimParts = Pick<AppParts, 'db' | 'log'> & Pick<Limits, 'keyHoldMs'>

/** @throws Problem `key-in-progress` while another upload holds it. */
export async function claimKey(
  { db, log, keyHoldMs }: ClaimParts,
  { userId, key }: Pick<KeyHold, 'userId' | 'key'>,
): Promise<KeyClaim> {
  const hold = { userId, key, uploadId: randomUUID() }
  const found = await holdKey(db, hold, keyHoldMs)
  if (found === 'busy') throw inProgress()
  if (found !== 'held') return { hold, earlier: found, release: async () => {} }

  const logFailure = (error: unknown) =>
    log.warn({ reason: describeError(error) }, 'idempotency key not held')
  let renewing: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    renewing = renewing.then(() => holdKey(db, hold, keyHoldMs)).catch(logFailure)
  }, keyHoldMs / 3)
  timer.unref()
  async function release(): Promise<void> {
    clearInterval(timer)
    // A renewal that came after the release would hold the key for nobody.
    await settlesWithin(RELEASE_TIMEOUT_MS, renewing.then(() => releaseKey(db, hold)).catch(logFailure))
  }
  return { hold, earlier: undefined, release }
}

function inProgress(): Problem {
  return new Problem('key-in-progress', 'An upload with this Idempotency-Key is under way.', {
    headers: { 'retry-after': '5' },
  })
}
