/** Describes what the link answers: how far the MP3 is, then the MP3, whole or in parts. */
import type { ProblemCode } from '../problem.ts'
import { exampleWaiting } from './examples.ts'
import type { AnswerHeader, RequestHeader } from './headers.ts'
import type { Answer } from './operation.ts'

export const downloadHeaders: readonly RequestHeader[] = [
  'Prefer',
  'Range',
  'If-Range',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'If-Unmodified-Since',
]

const validators: readonly AnswerHeader[] = ['ETag', 'Last-Modified', 'Cache-Control']
const ofMp3: readonly AnswerHeader[] = [
  ...validators,
  'Content-Length',
  'Accept-Ranges',
  'Repr-Digest',
  'Content-Disposition',
  'Content-Security-Policy',
  'X-Content-Type-Options',
]

export const downloadAnswers: Readonly<Record<number, Answer>> = {
  200: {
    description: 'The MP3. A connection that breaks before Content-Length has not brought it whole.',
    headers: ofMp3,
    mayHave: ['Preference-Applied'],
    content: { 'audio/mpeg': {} },
  },
  202: {
    description: 'It is not ready yet.',
    headers: ['Retry-After'],
    mayHave: ['Preference-Applied'],
    example: exampleWaiting,
  },
  206: {
    description: 'A part of the MP3, or several as `multipart/byteranges`.',
    headers: ofMp3,
    mayHave: ['Content-Range', 'Preference-Applied'],
    content: { 'audio/mpeg': {}, 'multipart/byteranges': {} },
  },
  304: {
    description: 'What the client has is the MP3.',
    headers: validators,
    mayHave: ['Preference-Applied'],
  },
}

export const downloadProblems: readonly ProblemCode[] = [
  'bad-field',
  'missing-field',
  'unknown-record',
  'gone',
  'precondition-failed',
  'range-not-satisfiable',
  'transcoding-failed',
  'rate-limited',
]
