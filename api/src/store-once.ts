/** Makes a record of an upload that has an idempotency key, or gives the answer of the one that had it before. */
import { createHash } from 'node:crypto'
import { findKey, KeyAlreadyUsed, type KeyedRecord } from '@wavemill/prisma/idempotency-keys'
import type { KeyClaim } from './hold-key.ts'
import type { AppParts } from './parts.ts'
import { Problem, unavailable } from './problem.ts'
import { type AcceptedRecord, type Recording, storeRecord } from './store-record.ts'
import type { UploadOptions } from './upload-options.ts'

/**
 * The same key, content and options lead to one record, however often they come. That the record was deleted since, or has expired
 * or failed, changes nothing: a late repetition must not bring back what its owner removed.
 *
 * @throws Problem `key-reused` for other content or other options; otherwise as {@link storeRecord}.
 */
export async function storeOnce(
  parts: AppParts,
  recording: Recording,
  { hold, earlier }: KeyClaim,
): Promise<AcceptedRecord> {
  const optionsSha256 = digestOptions(recording.options)
  const same = { wavSha256: recording.wav.sha256, optionsSha256 }
  if (earlier !== undefined) return repeat(earlier, same)
  try {
    return await storeRecord(parts, { ...recording, idempotencyKey: { ...hold, optionsSha256 } })
  } catch (error) {
    if (!(error instanceof KeyAlreadyUsed)) throw error
    // The hold lapsed while the database was away, and another upload was faster.
    const winner = await findKey(parts.db, hold)
    if (winner !== undefined && winner !== 'busy') return repeat(winner, same)
    throw unavailable('The upload could not be finished. Send it again in a moment.', error)
  }
}

function repeat(
  earlier: KeyedRecord,
  { wavSha256, optionsSha256 }: Pick<KeyedRecord, 'wavSha256' | 'optionsSha256'>,
): AcceptedRecord {
  const isSame = earlier.wavSha256.equals(wavSha256) && earlier.optionsSha256.equals(optionsSha256)
  if (isSame) return { id: earlier.id, userId: earlier.userId, status: 'queued', isRepeated: true }
  const detail =
    'This Idempotency-Key was used for another file, or with other options, in the last 24 hours.'
  throw new Problem('key-reused', detail)
}

/** SHA-256 of what was asked for, in whatever order and way it was written. */
export function digestOptions({
  encode,
  tags,
  expiry,
}: Pick<UploadOptions, 'encode' | 'tags' | 'expiry'>): Buffer {
  const asked = Object.entries({ ...encode, ...tags, ...expiry })
  const sorted = asked.sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest()
}
