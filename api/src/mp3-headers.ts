/** What a ready record's MP3 looks like in HTTP: its name, its validators, and the headers of an answer that has it. */
import { storedTitle } from '@wavemill/core/tags'
import type { RecordState } from '@wavemill/prisma/records'
import contentDisposition from 'content-disposition'
import { downloadName } from './file-name.ts'
import type { Validators } from './preconditions.ts'
import { policies } from './security-headers.ts'

/** A record whose MP3 is there. */
export interface ReadyMp3 {
  readonly key: bigint
  /** Under which it is saved. */
  readonly name: string
  readonly size: number
  readonly sha256: Buffer
  readonly readyAt: Date
  /** From then on nobody gets it any more. */
  readonly expiresAt: Date | undefined
}

export const MP3_TYPE = 'audio/mpeg'

const YEAR_SECONDS = 31_536_000

/** @throws Error if the record says that it is ready, but not what its MP3 is. */
export function readyMp3Of(record: RecordState): ReadyMp3 {
  const { key, status, mp3Size: size, mp3Sha256: sha256, readyAt, expiresAt } = record
  if (status !== 'ready' || size === undefined || sha256 === undefined || readyAt === undefined) {
    throw new Error(`Record ${key} is ${status} and has no whole MP3`)
  }
  const name = downloadName(record.fileName, storedTitle(record.options))
  return { key, name, size, sha256, readyAt, expiresAt }
}

/** Both are strong: the bytes of an MP3 never change. */
export function validatorsOf({ sha256, readyAt }: ReadyMp3): Validators {
  const wholeSecond = new Date(readyAt).setUTCMilliseconds(0) // a date of HTTP has no parts of one
  return { etag: `"${sha256.toString('hex')}"`, lastModified: wholeSecond }
}

/** What a cache must know, and may keep for as long as the record lives. */
export function validatorHeaders(mp3: ReadyMp3): Record<string, string> {
  const { etag, lastModified } = validatorsOf(mp3)
  return {
    etag,
    'last-modified': new Date(lastModified).toUTCString(),
    'cache-control': cacheControlOf(mp3),
  }
}

/** Of whatever comes of an MP3: it never changes, but it may end. */
export function cacheControlOf(mp3: ReadyMp3): string {
  return `private, max-age=${secondsToKeep(mp3)}, immutable`
}

function secondsToKeep({ expiresAt }: ReadyMp3): number {
  const secondsLeft = ((expiresAt?.getTime() ?? Infinity) - Date.now()) / 1_000
  return Math.floor(Math.max(0, Math.min(secondsLeft, YEAR_SECONDS)))
}

/**
 * The headers of the whole, and of each part of it. The last one is there because the file is a stranger's: no browser
 * may run anything that it finds in it.
 */
export function mp3Headers(mp3: ReadyMp3, type: 'inline' | 'attachment'): Record<string, string> {
  const { name, sha256 } = mp3
  return {
    ...validatorHeaders(mp3),
    'accept-ranges': 'bytes',
    'repr-digest': `sha-256=:${sha256.toString('base64')}:`, // RFC 9530, section 3: of the whole, also in a 206
    'content-disposition': contentDisposition(name, { type, fallback: asciiOf(name) }),
    'content-security-policy': policies.mp3[type],
  }
}

/** What clients show that do not know `filename*` (RFC 6266, appendix D). */
function asciiOf(name: string): string {
  return name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
}
