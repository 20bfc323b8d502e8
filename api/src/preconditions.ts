/** Judges a request's preconditions (RFC 9110, section 13): whether a GET or HEAD goes on, has its copy already, or must fail. */
import { parseHttpDate } from './http-date.ts'

/** A header field's value, of several lines joined by commas, by its lower-case name; undefined where it is not there. */
export type HeaderReader = (name: string) => string | undefined

/** What tells one state of a representation from another. */
export interface Validators {
  /** A strong one, with its quotes. */
  readonly etag: string
  /** Milliseconds since 1970, a whole second. */
  readonly lastModified: number
}

/**
 * Follows section 13.2.2, whose order lets tags win over dates. A date that is none is ignored, a tag that is none is
 * nobody's.
 *
 * @returns `failed` for 412, `not-modified` for 304.
 */
export function judgePreconditions(
  header: HeaderReader,
  { etag, lastModified }: Validators,
): 'go-on' | 'not-modified' | 'failed' {
  const ifMatch = header('if-match')
  const unmodifiedSince = dateOf(header('if-unmodified-since'))
  if (ifMatch !== undefined) {
    if (!names(ifMatch, etag, 'strong')) return 'failed'
  } else if (unmodifiedSince !== undefined && lastModified > unmodifiedSince) {
    return 'failed'
  }
  const ifNoneMatch = header('if-none-match')
  const modifiedSince = dateOf(header('if-modified-since'))
  if (ifNoneMatch !== undefined) {
    if (names(ifNoneMatch, etag, 'weak')) return 'not-modified'
  } else if (modifiedSince !== undefined && lastModified <= modifiedSince) {
    return 'not-modified'
  }
  return 'go-on'
}

/**
 * Whether If-Range (section 13.1.5), where it is there, lets Range count: its tag or date must be exactly ours. What is
 * neither is not ours, so that a client never joins parts of two files.
 */
export function allowsRange(header: HeaderReader, { etag, lastModified }: Validators): boolean {
  const ifRange = header('if-range')
  return ifRange === undefined || ifRange === etag || dateOf(ifRange) === lastModified
}

function dateOf(value: string | undefined): number | undefined {
  return value === undefined ? undefined : parseHttpDate(value)
}

/** Whether a list of entity tags, or `*`, names ours, by the comparison of section 8.8.3.2. */
function names(list: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (list === '*') return true
  return readEntityTags(list).some(({ isWeak, tag }) => tag === etag && (comparison === 'weak' || !isWeak))
}

// One member of the list, with the comma after it. An empty member is allowed (section 5.6.1.2).
const member = /[\t ]*(?:(?<weak>W\/)?(?<tag>"[\x21\x23-\x7e\x80-\xff]*")[\t ]*)?(?:,|$)/y

/** @returns nothing of a list that is not well-formed. */
function readEntityTags(list: string): { readonly isWeak: boolean; readonly tag: string }[] {
  const tags: { isWeak: boolean; tag: string }[] = []
  member.lastIndex = 0
  while (member.lastIndex < list.length) {
    const found = member.exec(list)
    if (found === null) return []
    const { weak, tag } = found.groups ?? {}
    if (tag !== undefined) tags.push({ isWeak: weak !== undefined, tag })
  }
  return tags
}
