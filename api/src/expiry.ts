/** Reads when an upload's recording is to be gone: after a number of seconds, or at a time. */
import { OptionError } from '@wavemill/core/encode-options'

/** Seconds count from the moment at which the recording is accepted: an upload may take long. */
export type Expiry = { readonly seconds: number } | { readonly at: Date }

const MAX_SECONDS = 3_155_760_000 // a hundred years

// RFC 3339, section 5.6; no leap second is known in advance.
const time =
  /^\d{4}-\d\d-(\d\d)[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/

/** @throws OptionError for what is neither, or for a time that is over. */
export function parseExpiry(text: string, now = new Date()): Expiry {
  const given = text.trim()
  if (/^\d{1,10}$/.test(given)) {
    const seconds = Number(given)
    if (seconds >= 1 && seconds <= MAX_SECONDS) return { seconds }
    throw badExpiry(`a number of seconds from 1 to ${MAX_SECONDS}`)
  }
  const at = timeOf(given)
  if (at === undefined) throw badExpiry('a number of seconds, or a time of RFC 3339 as 2030-01-31T12:00:00Z')
  if (at <= now || at.getUTCFullYear() > 9999) throw badExpiry('a time in the future')
  return { at }
}

/** @param acceptedAt from when seconds count. */
export function expiryTime(expiry: Expiry, acceptedAt: Date): Date {
  return 'at' in expiry ? expiry.at : new Date(acceptedAt.getTime() + expiry.seconds * 1_000)
}

function timeOf(text: string): Date | undefined {
  const day = time.exec(text)?.[1]
  if (day === undefined) return undefined
  const at = new Date(text.toUpperCase().replace(' ', 'T'))
  // Node takes a 31 February for a day in March.
  const dayItself = new Date(`${text.slice(0, 10)}T00:00:00Z`)
  return Number.isNaN(at.getTime()) || dayItself.getUTCDate() !== Number(day) ? undefined : at
}

function badExpiry(allowed: string): OptionError {
  return new OptionError('expires', `"expires" must be ${allowed}.`)
}
