/** Gathers an upload's options while its form arrives, and refuses each that cannot be as soon as it comes. */
import { ENCODE_FIELDS, type EncodeOptions, parseEncodeOptions } from '@wavemill/core/encode-options'
import { parseTags, TAG_FIELDS, type Tags } from '@wavemill/core/tags'
import { type Expiry, parseExpiry } from './expiry.ts'

export const OPTION_FIELDS = [...ENCODE_FIELDS, ...TAG_FIELDS, 'expires'] as const
export type OptionField = (typeof OPTION_FIELDS)[number]

export function isOptionField(name: string): name is OptionField {
  return OPTION_FIELDS.some((field) => field === name)
}

export interface UploadOptions {
  /** Takes a field. @throws OptionError if it cannot be, or not together with those before it. */
  note(field: OptionField, value: string): void
  /** What was asked for so far. Whether the recording can have that bitrate shows only once all fields are there. */
  readonly encode: EncodeOptions
  readonly tags: Tags
  /** Kept as long as everything else where it is undefined. */
  readonly expiry: Expiry | undefined
}

export function createUploadOptions(): UploadOptions {
  const fields = new Map<string, string>()
  let encode: EncodeOptions = {}
  let tags: Tags = {}
  let expiry: Expiry | undefined
  return {
    note(field, value) {
      fields.set(field, value)
      encode = parseEncodeOptions(fields)
      tags = parseTags(fields)
      if (field === 'expires') expiry = parseExpiry(value)
    },
    get encode() {
      return encode
    },
    get tags() {
      return tags
    },
    get expiry() {
      return expiry
    },
  }
}
