/** What an MP3 says of itself, from title to genre: read from form fields, tidied from WAVs, read back from the record. */
import { OptionError } from './encode-options.ts'

/** The form fields that are read here. */
export const TAG_FIELDS = ['title', 'artist', 'album', 'date', 'comment', 'genre'] as const
export type TagField = (typeof TAG_FIELDS)[number]

/**
 * Each is NFC, has 1 to 1,000 characters, and neither control characters nor halves of surrogate pairs; `date` is
 * `YYYY` or `YYYY-MM-DD`.
 */
export type Tags = { readonly [Field in TagField]?: string }

/** What a file says of itself, as it says it. */
export type TagTexts = { readonly [Field in TagField]?: string | undefined }

const MAX_CHARACTERS = 1000
const unwanted = /[\p{Cc}\p{Cs}]+/gu

/**
 * Reads the tags out of an upload's form fields; others are not looked at, and an empty one is as good as none.
 *
 * @throws OptionError for a text that no tag may be.
 */
export function parseTags(fields: ReadonlyMap<string, string>): Tags {
  return tagsFrom((field) => {
    const text = fields.get(field)?.normalize('NFC').trim()
    if (text) checkTag(field, text)
    return text
  })
}

/**
 * Makes tags of what a WAV says of itself, which may be anything: what is unwanted is left out, and what is too long is cut.
 */
export function tidyTags(texts: TagTexts): Tags {
  return tagsFrom((field) => {
    const text = texts[field]?.normalize('NFC').replace(unwanted, ' ').trim()
    if (text === undefined) return undefined
    return field === 'date' ? dateAtStartOf(text) : [...text].slice(0, MAX_CHARACTERS).join('').trim()
  })
}

/**
 * Reads the tags back out of a record: those of the upload, under `tags`, win over those that the WAV carried, under `wavTags`.
 *
 * @param recordOptions what the database holds, which may be anything.
 */
export function storedTags(recordOptions: unknown): Tags {
  return { ...tagsUnder(recordOptions, 'wavTags'), ...tagsUnder(recordOptions, 'tags') }
}

/** The title that the upload asked for; what a WAV calls itself is not what its owner calls the file. */
export function storedTitle(recordOptions: unknown): string | undefined {
  return tagsUnder(recordOptions, 'tags').title
}

function tagsUnder(options: unknown, key: 'tags' | 'wavTags'): Tags {
  const stored = isObject(options) ? options[key] : undefined
  if (!isObject(stored)) return {}
  const textOf = (field: TagField) => {
    const text = stored[field]
    return typeof text === 'string' ? text : undefined
  }
  return tidyTags(tagsFrom(textOf))
}

function tagsFrom(textOf: (field: TagField) => string | undefined): Tags {
  const tags: { [Field in TagField]?: string } = {}
  for (const field of TAG_FIELDS) {
    const text = textOf(field)
    if (text) tags[field] = text
  }
  return tags
}

function checkTag(field: TagField, text: string): void {
  if (field === 'date') {
    if (isDate(text)) return
    throw new OptionError('date', '"date" must be a year or a day, as YYYY or YYYY-MM-DD.', [
      'YYYY',
      'YYYY-MM-DD',
    ])
  }
  if ([...text].length <= MAX_CHARACTERS && text.search(unwanted) === -1) return
  throw new OptionError(field, `"${field}" must have at most 1,000 characters, and no control characters.`)
}

/** True for a year, or a day that the calendar has. ID3v2.3 has no place for a month alone. */
function isDate(text: string): boolean {
  if (/^\d{4}$/.test(text)) return text !== '0000'
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text.startsWith('0000')) return false
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}

/** The day, or at least the year, that a text begins with, whatever stands between its numbers. */
function dateAtStartOf(text: string): string | undefined {
  const [, year, month, day] = /^(\d{4})(?:\D(\d\d)\D(\d\d))?(?!\d)/.exec(text) ?? []
  const candidates = [`${year}-${month}-${day}`, `${year}`]
  return candidates.find(isDate)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
