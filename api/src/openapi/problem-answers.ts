/** The answers of a route that are problems, by status: what each code means, and what its document looks like. */
import { STATUS_CODES } from 'node:http'
import Type from 'typebox'
import { PROBLEM_TYPE, type ProblemCode, statusOf } from '../problem.ts'
import { rateHeaders } from './headers.ts'
import type { Answer } from './operation.ts'

const meanings: Readonly<Record<ProblemCode, string>> = {
  'malformed-request': 'This is not a valid HTTP request, or its Host header is none.',
  'malformed-body': 'The body is not what its type says, or was cut off.',
  'bad-field': 'A field, query field or header has a value that it cannot have.',
  'missing-field': 'A field, query field or header is missing.',
  'duplicate-field': 'A field or header is given more than once.',
  'unknown-field': 'There is no such field.',
  'bad-name': 'A user cannot be called that.',
  unauthorized: 'There is no such user with this token, or this is not the admin password.',
  'quota-exceeded': 'The user has as many recordings, or bytes, as they may have.',
  'cross-site': 'The page of another site asked for this in the name of the admin.',
  'not-found': 'There is nothing at this address.',
  'unknown-user': 'There is no such user.',
  'unknown-record': 'There is no such recording of this user.',
  'no-peaks': 'The recording has no waveform: its codec is packed, or it was made before there were any.',
  'method-not-allowed': 'This address does not take this method.',
  'stalled-body': 'The body, or the request, stopped arriving.',
  'name-taken': 'There is a user of this name.',
  'key-in-progress': 'An upload with this Idempotency-Key is under way.',
  gone: 'The recording was deleted, or has expired.',
  'precondition-failed': 'The MP3 is not the one that the condition asks for.',
  'too-large': 'The file, or the body, is larger than is taken here.',
  'unsupported-media-type': 'A body of this Content-Type is not taken here.',
  'not-wav': 'The file is no WAV.',
  'unsupported-codec': 'The WAV is of a codec that nobody here can decode; which one is in `detail`.',
  malformed: 'The header of the WAV contradicts itself.',
  'range-not-satisfiable': 'The MP3 has none of the bytes that were asked for.',
  'cut-header': 'The file ends inside the header of the WAV.',
  'no-audio': 'There is no audio in the WAV.',
  'key-reused':
    'This Idempotency-Key was used for another file, or with other options, in the last 24 hours.',
  'transcoding-failed': 'The recording could not be transcoded; `failure` says why.',
  'too-many-uploads': 'Too many uploads at once from this address.',
  'too-many-waiting': 'As many recordings of this user wait as may.',
  'too-many-logins': 'Too many wrong admin passwords from this address.',
  'rate-limited': 'This was asked for too often within a minute.',
  'headers-too-large': 'The headers of the request are too large.',
  internal: 'Something went wrong here. It was logged.',
  unavailable: 'The database, or something else that is needed, is away for the moment.',
  'queue-full': 'Too many recordings wait to be transcoded.',
  overloaded: 'The service has too much to do for the moment.',
  'out-of-space': 'There is not enough disk space left.',
}

function isProblemCode(name: string): name is ProblemCode {
  return Object.hasOwn(meanings, name)
}

/** What {@link Problem.toDocument} gives. The compiler holds the set of codes together with that of the Problem. */
export const ProblemDocument = Type.Object(
  {
    type: Type.Literal('about:blank'),
    title: Type.String({ description: 'The phrase of the status.' }),
    status: Type.Integer(),
    code: Type.Enum(Object.keys(meanings).filter(isProblemCode), {
      description: 'What tells problems of one status apart.',
    }),
    detail: Type.String({ description: 'A sentence about this very request.' }),
    field: Type.Optional(Type.String({ description: 'The field, query field or header that is wrong.' })),
    allowed: Type.Optional(
      Type.Array(Type.String(), { description: 'Every value that the field may have.' }),
    ),
    failure: Type.Optional(
      Type.Object(
        { code: Type.String(), reason: Type.String() },
        { description: 'Why transcoding failed for good.' },
      ),
    ),
    failing: Type.Optional(Type.Array(Type.String(), { description: 'What is away.' })),
  },
  { additionalProperties: false, description: 'Problem details (RFC 9457) with a code out of a closed set.' },
)

/** Whatever the address: HTTP that is none, a body that stalls, what breaks here. */
const everywhere = [
  'malformed-request',
  'stalled-body',
  'headers-too-large',
  'internal',
  'unavailable',
] as const

const headersOfStatus: Readonly<Record<number, Pick<Answer, 'headers' | 'mayHave'>>> = {
  401: { headers: ['WWW-Authenticate'] },
  409: { mayHave: ['Retry-After'] },
  416: { headers: ['Content-Range', 'Accept-Ranges'] },
  429: { headers: ['Retry-After'], mayHave: rateHeaders },
  503: { mayHave: ['Retry-After'] },
}

/** @param codes those of one route, beside what every route can answer. */
export function problemAnswers(codes: readonly ProblemCode[]): Readonly<Record<number, Answer>> {
  const all = [...new Set([...codes, ...everywhere])]
  const statuses = [...new Set(all.map((code) => statusOf[code]))]
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      problemAnswer(
        status,
        all.filter((code) => statusOf[code] === status),
      ),
    ]),
  )
}

function problemAnswer(status: number, codes: readonly ProblemCode[]): Answer {
  const examples = codes.map((code) => [code, { value: exampleOf(status, code) }] as const)
  const schema = {
    allOf: [{ $ref: '#/components/schemas/Problem' }],
    properties: { status: { const: status }, code: { enum: codes } },
  }
  return {
    description: codes.map((code) => `\`${code}\`: ${meanings[code]}`).join('\n\n'),
    ...headersOfStatus[status],
    content: { [PROBLEM_TYPE]: { schema, examples: Object.fromEntries(examples) } },
  }
}

function exampleOf(status: number, code: ProblemCode) {
  return { type: 'about:blank', title: STATUS_CODES[status], status, code, detail: meanings[code] }
}
