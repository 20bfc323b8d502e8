/** The header fields that the descriptions of routes name, of requests and of answers. */

interface Field {
  readonly description: string
  readonly schema: object
  readonly example: string | number
}

const text = { type: 'string' }
const seconds = { type: 'integer', minimum: 0 }

const digest = 'a3f5c1d2e4b697888796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0'
const date = 'Tue, 24 Nov 2026 12:00:00 GMT'

export const requestHeaders = {
  Prefer: {
    description:
      '`wait=N` holds the answer until there is something to say, or N seconds; at most 60 (RFC 7240).',
    schema: text,
    example: 'wait=60',
  },
  Range: {
    description: 'Parts of the MP3 (RFC 9110, section 14), at most 16. GET only; a malformed one is ignored.',
    schema: text,
    example: 'bytes=0-1048575',
  },
  'If-Range': {
    description: 'The ETag or the date under which Range counts; under another one the whole is sent.',
    schema: text,
    example: `"${digest}"`,
  },
  'If-Match': {
    description: 'ETags, or `*`: 412 if the MP3 is none of them.',
    schema: text,
    example: `"${digest}"`,
  },
  'If-None-Match': {
    description: 'ETags, or `*`: 304 if the MP3 is one of them.',
    schema: text,
    example: `"${digest}"`,
  },
  'If-Modified-Since': { description: '304 if the MP3 is not newer.', schema: text, example: date },
  'If-Unmodified-Since': { description: '412 if the MP3 is newer.', schema: text, example: date },
  'Last-Event-ID': {
    description: 'The id of the last event that was seen; `EventSource` sends it when it connects again.',
    schema: text,
    example: '7',
  },
  'Idempotency-Key': {
    description:
      'Makes an upload safe to repeat for 24 hours: 1 to 255 printable ASCII characters, with or without quotes ' +
      '(draft-ietf-httpapi-idempotency-key-header). It belongs to its user.',
    schema: text,
    example: '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
  },
} satisfies Readonly<Record<string, Field>>
export type RequestHeader = keyof typeof requestHeaders

export const answerHeaders = {
  'X-Request-Id': {
    description: 'Names the request in the log.',
    schema: text,
    example: '7c0f6a1e-9d3b-4c52-8a47-1f0e2d3c4b5a',
  },
  'Cache-Control': { description: 'How long it may be kept.', schema: text, example: 'no-store' },
  'Retry-After': { description: 'Seconds after which to ask again.', schema: seconds, example: 5 },
  'RateLimit-Limit': {
    description: 'How often this may be asked for in a minute, where that is limited.',
    schema: seconds,
    example: 60,
  },
  'RateLimit-Remaining': { description: 'How often it still may.', schema: seconds, example: 59 },
  'RateLimit-Reset': { description: 'Seconds until the minute is over.', schema: seconds, example: 42 },
  Location: {
    description: 'The link of the recording.',
    schema: { type: 'string', format: 'uri' },
    example: 'http://127.0.0.1:8080/record?id=0b0e…&user=5d1c…',
  },
  'Preference-Applied': {
    description: 'The waiting that was granted (RFC 7240).',
    schema: text,
    example: 'wait=60',
  },
  'WWW-Authenticate': {
    description: 'How to bring the token, or the admin password.',
    schema: text,
    example: 'Bearer',
  },
  ETag: {
    description: 'The SHA-256 of the MP3: strong, and the same for ever.',
    schema: text,
    example: `"${digest}"`,
  },
  'Last-Modified': { description: 'When the MP3 was ready.', schema: text, example: date },
  'Repr-Digest': {
    description: 'The SHA-256 of the whole MP3, also with a part of it (RFC 9530).',
    schema: text,
    example: 'sha-256=:o/XB0uS2l4iHlqW0w9Lh8A8eLTxLWml4h5altMPS4fA=:',
  },
  'Accept-Ranges': { description: 'Parts may be asked for.', schema: { const: 'bytes' }, example: 'bytes' },
  'Content-Length': { description: 'Bytes of the body.', schema: seconds, example: 57_000_000 },
  'Content-Range': {
    description: 'Which bytes these are, and of how many.',
    schema: text,
    example: 'bytes 0-1048575/57000000',
  },
  'Content-Disposition': {
    description: 'The name to save it under (RFC 6266), and whether to save it at all.',
    schema: text,
    example: 'attachment; filename="interview.mp3"',
  },
  'Content-Security-Policy': {
    description: 'Nothing in the answer may run, or load anything from elsewhere.',
    schema: text,
    example: "default-src 'none'; sandbox",
  },
  'X-Content-Type-Options': {
    description: 'It is taken for nothing but what it says it is.',
    schema: { const: 'nosniff' },
    example: 'nosniff',
  },
  'Idempotency-Replayed': {
    description: 'The upload was accepted before, and this is the first answer again.',
    schema: { const: 'true' },
    example: 'true',
  },
} satisfies Readonly<Record<string, Field>>
export type AnswerHeader = keyof typeof answerHeaders

/** Of draft-ietf-httpapi-ratelimit-headers, as @fastify/rate-limit has them. */
export const rateHeaders: readonly AnswerHeader[] = [
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
]
