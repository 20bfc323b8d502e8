/** Reads the header that makes an upload safe to repeat. */
import type { FastifyRequest } from 'fastify'
import { fieldProblem, type Problem } from './problem.ts'

const NAME = 'idempotency-key'
const MAX_CHARACTERS = 255

/**
 * The key of `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). The draft has it in quotes, as a string of RFC 9651,
 * section 3.3.3; most clients send it without: both are the same key.
 *
 * @returns undefined without the header.
 * @throws Problem `duplicate-field` if it comes twice, `bad-field` if it is no key.
 */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const [header, ...others] = request.raw.headersDistinct[NAME] ?? []
  if (header === undefined) return undefined
  if (others.length > 0)
    throw fieldProblem('duplicate-field', NAME, 'The Idempotency-Key header is given more than once.')
  const key = header.startsWith('"') ? quotedKey(header) : header
  if (!/^[\x20-\x7e]+$/.test(key)) throw badKey('must have printable ASCII characters, and nothing else')
  if (key.length > MAX_CHARACTERS) throw badKey(`may have ${MAX_CHARACTERS} characters`)
  return key
}

function quotedKey(header: string): string {
  const inside = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header)?.[1]
  if (inside === undefined) throw badKey('that begins with a quote must end with one')
  return inside.replace(/\\(["\\])/g, '$1')
}

function badKey(what: string): Problem {
  return fieldProblem('bad-field', NAME, `The Idempotency-Key header ${what}.`)
}
