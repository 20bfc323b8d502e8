/** Reads an upload whose body is the WAV itself: what a form says stands in the query, and the token in a header. */
import type { IncomingMessage } from 'node:http'
import contentDisposition from 'content-disposition'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { bearerTokenOf } from './authenticate.ts'
import { fieldProblem } from './problem.ts'
import type { UploadPart } from './upload-form.ts'
import { isOptionField, OPTION_FIELDS } from './upload-options.ts'
import { parseUuid } from './uuid.ts'

const TYPES = ['audio/wav', 'audio/x-wav', 'audio/wave', 'audio/vnd.wave']
const FIELDS = ['user', 'filename', ...OPTION_FIELDS]

declare module 'fastify' {
  interface FastifyRequest {
    /** The body, unread, where it is a WAV by its Content-Type. */
    rawWav: IncomingMessage | undefined
  }
}

/** Lets the routes of this scope take a WAV as a body. */
export function takeRawWav(scope: FastifyInstance): void {
  scope.decorateRequest('rawWav', undefined)
  scope.addContentTypeParser(TYPES, (request, body, done) => {
    request.rawWav = body
    done(null, undefined)
  })
}

/**
 * Yields what a form would have, the file last: so its sender is known before the body is read.
 *
 * @param turn is waited for before any of the body is read.
 * @throws Problem at the first fault in the query and the headers.
 */
export async function* readRawUpload(
  request: FastifyRequest,
  body: IncomingMessage,
  turn: () => Promise<void>,
): AsyncGenerator<UploadPart> {
  if (bearerTokenOf(request) === undefined)
    throw fieldProblem(
      'missing-field',
      'authorization',
      'The token is missing: Authorization: Bearer <token>.',
    )
  const query = readQuery(request)
  const user = query.get('user')
  if (user === undefined) throw fieldProblem('missing-field', 'user', '"user" is missing.')
  const value = parseUuid(user)
  if (value === undefined) throw fieldProblem('bad-field', 'user', '"user" must be a UUID.')
  yield { field: 'user', value }
  for (const [field, value] of query) {
    if (isOptionField(field)) yield { field, value }
  }
  const fileName = query.get('filename') ?? namedByHeader(request) ?? ''
  await turn()
  // Whoever stops reading leaves the body open: its refusal has yet to be answered.
  yield { field: 'file', fileName, bytes: body.iterator({ destroyOnReturn: false }) }
}

function readQuery(request: FastifyRequest): ReadonlyMap<string, string> {
  const query = new Map<string, string>()
  const search = new URLSearchParams(/\?(.*)$/s.exec(request.url)?.[1])
  for (const [name, value] of search) {
    const shown = name.slice(0, 100)
    if (!FIELDS.includes(name)) {
      const detail = `"${shown}" is not a field of an upload. There are ${FIELDS.join(', ')}.`
      throw fieldProblem('unknown-field', shown, detail)
    }
    if (query.has(name)) throw fieldProblem('duplicate-field', name, `"${name}" is given more than once.`)
    query.set(name, value)
  }
  return query
}

/** The file name of Content-Disposition (RFC 6266), whatever its type. */
function namedByHeader({ raw }: FastifyRequest): string | undefined {
  const name = 'content-disposition'
  const [header, ...others] = raw.headersDistinct[name] ?? []
  if (header === undefined) return undefined
  if (others.length > 0)
    throw fieldProblem('duplicate-field', name, 'Content-Disposition is given more than once.')
  try {
    return fromBytes(contentDisposition.parse(header).parameters.filename)
  } catch {
    throw fieldProblem('bad-field', name, 'Content-Disposition must be as attachment; filename="take 1.wav".')
  }
}

/** Node reads headers as Latin-1, and curl sends what was typed, which is UTF-8. */
function fromBytes(text: string | undefined): string | undefined {
  if (text === undefined || /[^\0-\xff]/.test(text)) return text
  const utf8 = Buffer.from(text, 'latin1').toString('utf8')
  return utf8.includes('\ufffd') ? text : utf8
}
