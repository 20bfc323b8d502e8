/** Accepts an upload: takes the WAV and its sender's credentials out of the stream, and makes a record of them. */
import { checkBitrate } from '@wavemill/core/encode-options'
import type { Database } from '@wavemill/prisma/database'
import { checkQuota } from '@wavemill/prisma/quota'
import { quotaOf } from './admission.ts'
import type { Asker } from './audit.ts'
import { authenticate } from './authenticate.ts'
import { claimKey, type KeyClaim } from './hold-key.ts'
import type { AppParts, Limits } from './parts.ts'
import { fieldProblem } from './problem.ts'
import { nowhere, type ReceivedWav, receiveWav } from './receive-wav.ts'
import type { SpoolCap } from './spool-cap.ts'
import { storeOnce } from './store-once.ts'
import { type AcceptedRecord, storeRecord } from './store-record.ts'
import type { UploadPart } from './upload-form.ts'
import { createUploadOptions } from './upload-options.ts'

export interface Upload {
  /** In the order of the stream. */
  readonly parts: AsyncIterable<UploadPart>
  /** The token, where a header brought it. */
  readonly bearerToken: string | undefined
  /** Makes it safe to repeat, where a header brought it. */
  readonly idempotencyKey: string | undefined
  /** Noted where the token is wrong. */
  readonly asker: Asker
  /** The sender's address. */
  readonly address: string
  /** Called once, as soon as it is known whose upload it is. It may refuse it. */
  readonly admit: (userId: string) => Promise<void>
}

interface Credentials {
  user: string | undefined
  token: string | undefined
}

/**
 * Follows the stream, and the first fault in it decides: the credentials are checked as soon as both are known, the WAV
 * as soon as its bytes tell, each option as it comes. An idempotency key is claimed as soon as it is known whose it is.
 * Until the record stands, every way out of here removes what was written, and gives the key back.
 *
 * @throws Problem, WavError, OptionError, or an error of the database, the disk or the stream.
 */
export async function acceptUpload(
  parts: AppParts & Pick<Limits, 'keyHoldMs'> & { readonly spoolCap: SpoolCap },
  upload: Upload,
): Promise<AcceptedRecord> {
  const { db, wavStore, settings, spoolCap } = parts
  const { idempotencyKey: key } = upload
  const given: Credentials = { user: undefined, token: upload.bearerToken }
  const options = createUploadOptions()
  let userId: string | undefined
  let file: { readonly name: string; readonly wav: ReceivedWav } | undefined
  let claim: KeyClaim | undefined
  let releasePlace = () => {}
  try {
    for await (const part of upload.parts) {
      if (part.field === 'file') {
        if (userId === undefined) releasePlace = spoolCap.take(upload.address)
        const target = claim?.earlier === undefined ? wavStore : nowhere // a repetition is compared, not stored
        file = { name: part.fileName, wav: await receiveWav(target, part.bytes, settings) }
      } else if (part.field !== 'user' && part.field !== 'token') {
        options.note(part.field, part.value)
      } else {
        noteCredential(given, part)
        userId = await authenticateOnceKnown(db, given, upload.asker)
        if (userId === undefined) continue
        await upload.admit(userId)
        if (key !== undefined) claim = await claimKey(parts, { userId, key })
        // Spares the upload whose row would be refused; a repetition has its row.
        if (claim?.earlier === undefined) await checkQuota(db.pool, userId, quotaOf(settings))
      }
    }
    if (userId === undefined) throw missing(given.user === undefined ? 'user' : 'token')
    if (file === undefined) throw missing('file')
    checkBitrate(options.encode, file.wav.header.source)
    const recording = { asker: upload.asker, userId, fileName: file.name, wav: file.wav, options }
    return await (claim === undefined ? storeRecord(parts, recording) : storeOnce(parts, recording, claim))
  } finally {
    releasePlace()
    await claim?.release() // unless a record has the key now
    await file?.wav.draft.discard() // does nothing once it is committed
  }
}

function noteCredential(
  given: Credentials,
  part: { readonly field: 'user' | 'token'; readonly value: string },
): void {
  if (part.field === 'token' && given.token !== undefined) {
    // RFC 6750, section 2: a request must not carry the token in more than one way.
    throw fieldProblem(
      'duplicate-field',
      'token',
      '"token" is given in the form and in the Authorization header.',
    )
  }
  given[part.field] = part.value
}

/** @returns whose upload it is; undefined while one of the two has not come. */
async function authenticateOnceKnown(
  db: Database,
  { user, token }: Credentials,
  asker: Asker,
): Promise<string | undefined> {
  if (user === undefined || token === undefined) return undefined
  await authenticate(db, { user, token }, asker)
  return user
}

function missing(field: 'user' | 'token' | 'file') {
  return fieldProblem('missing-field', field, `"${field}" is missing.`)
}
