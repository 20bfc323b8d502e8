/** The one place that makes the API's errors: RFC 9457 problem details with a code out of a closed set. */
import { STATUS_CODES } from 'node:http'

/** Every code that an answer can carry, and its HTTP status. */
export const statusOf = {
  'malformed-request': 400, // the HTTP itself, the Host header, the URL
  'malformed-body': 400, // no JSON, no multipart, or cut off
  'bad-field': 400,
  'missing-field': 400,
  'duplicate-field': 400,
  'unknown-field': 400,
  'bad-name': 400,
  unauthorized: 401,
  'quota-exceeded': 403,
  'cross-site': 403,
  'not-found': 404, // no such route
  'unknown-record': 404,
  'unknown-user': 404, // said to the admin only
  'no-peaks': 404,
  'method-not-allowed': 405,
  'stalled-body': 408,
  'name-taken': 409,
  'key-in-progress': 409,
  gone: 410,
  'precondition-failed': 412,
  'too-large': 413,
  'unsupported-media-type': 415, // of the request
  'not-wav': 415,
  'unsupported-codec': 415,
  malformed: 415,
  'range-not-satisfiable': 416,
  'cut-header': 422,
  'no-audio': 422,
  'key-reused': 422,
  'transcoding-failed': 422,
  'too-many-uploads': 429, // at once
  'too-many-waiting': 429,
  'rate-limited': 429,
  'too-many-logins': 429,
  'headers-too-large': 431,
  internal: 500,
  unavailable: 503,
  'queue-full': 503,
  overloaded: 503,
  'out-of-space': 507,
} as const

export type ProblemCode = keyof typeof statusOf

export interface ProblemOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** Members beside those of RFC 9457, such as `field`. */
  readonly members?: Readonly<Record<string, unknown>>
  /** For the log; the client never sees it. */
  readonly cause?: unknown
}

/** An answer that is no success. `message` is the `detail` that the client reads. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  private readonly members: Readonly<Record<string, unknown>>

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.status = statusOf[code]
    this.headers = options.headers ?? {}
    this.members = options.members ?? {}
  }

  /**
   * The document of RFC 9457. `type` is `about:blank`, so `title` is the status phrase (section 4.2.1) and `code` is
   * what tells problems of one status apart.
   */
  toDocument(): string {
    const { status, code, message: detail, members } = this
    return JSON.stringify({
      type: 'about:blank',
      title: STATUS_CODES[status],
      status,
      code,
      detail,
      ...members,
    })
  }
}

export const PROBLEM_TYPE = 'application/problem+json'

/** A problem with one field, query parameter or header of the request, which it names. */
export function fieldProblem(
  code: 'bad-field' | 'missing-field' | 'duplicate-field' | 'unknown-field' | 'bad-name',
  field: string,
  detail: string,
): Problem {
  return new Problem(code, detail, { members: { field } })
}

/** The database is away: the client may try again soon. */
export function unavailable(detail: string, cause?: unknown): Problem {
  return new Problem('unavailable', detail, { headers: { 'retry-after': '5' }, cause })
}

/** The same text for an unknown user and for a wrong token, so that it tells nobody which users exist. */
export function unauthorized(): Problem {
  return new Problem('unauthorized', 'There is no such user with this token.', {
    headers: { 'www-authenticate': 'Bearer' },
  })
}

export function outOfSpace(cause?: unknown): Problem {
  return new Problem('out-of-space', 'There is not enough disk space left for this recording.', { cause })
}
