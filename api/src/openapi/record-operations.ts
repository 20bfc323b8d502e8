/** Describes the addresses of recordings: uploading, listing, deleting, and what becomes of them. */
import { downloadAnswers, downloadHeaders, downloadProblems } from './download-answers.ts'
import { exampleRecord, exampleStatus, exampleWaiting } from './examples.ts'
import { rateHeaders } from './headers.ts'
import type { Answer, Operation } from './operation.ts'
import { UploadForm } from './upload-form-schema.ts'

const download = {
  tag: 'Recordings',
  headers: downloadHeaders,
  answers: downloadAnswers,
  problems: downloadProblems,
} as const

/** Server-sent events, of which one is shown. */
const streamOf = (data: object): Answer => ({
  description: 'The stream.',
  content: {
    'text/event-stream': {
      schema: { type: 'string' },
      example: `id: 1\nevent: status\ndata: ${JSON.stringify(data)}\n\n`,
    },
  },
})

export const recordOperations: Readonly<Record<string, Operation>> = {
  'POST /record': {
    id: 'uploadRecord',
    tag: 'Recordings',
    summary: 'Upload a recording',
    description:
      'Answered as soon as the WAV is safe on the disk, with the link under which its MP3 will be. ' +
      'The first fault in the stream decides the answer. With `Idempotency-Key`, the same file and options get the first ' +
      'answer again, even if the recording is gone by then.',
    token: 'optional',
    headers: ['Idempotency-Key'],
    body: { 'multipart/form-data': { schema: UploadForm } },
    answers: {
      202: {
        description: 'It is accepted, and waits to be transcoded.',
        headers: ['Location', 'Retry-After'],
        mayHave: ['Idempotency-Replayed', ...rateHeaders],
        example: {
          id: exampleRecord.id,
          status: 'queued',
          url: exampleRecord.url,
          statusUrl: exampleRecord.statusUrl,
        },
      },
    },
    problems: [
      'malformed-body',
      'bad-field',
      'missing-field',
      'duplicate-field',
      'unknown-field',
      'unauthorized',
      'too-large',
      'unsupported-media-type',
      'not-wav',
      'unsupported-codec',
      'malformed',
      'cut-header',
      'no-audio',
      'key-in-progress',
      'key-reused',
      'quota-exceeded',
      'too-many-uploads',
      'too-many-waiting',
      'rate-limited',
      'queue-full',
      'overloaded',
      'out-of-space',
    ],
  },
  'GET /record': {
    ...download,
    id: 'downloadRecord',
    summary: 'The link: the MP3, once it is there',
    description:
      'Needs nothing but the link: whoever has it may download. More fields in the query are ignored.',
  },
  'HEAD /record': {
    ...download,
    id: 'headRecord',
    summary: 'The link, without its body',
    description: 'The same headers as with GET. Range is ignored.',
  },
  'DELETE /record': {
    id: 'deleteRecord',
    tag: 'Recordings',
    summary: 'Delete a recording',
    description:
      'Whatever its state: transcoding stops, and its link answers 410. Doing it again is no fault.',
    token: 'required',
    answers: { 204: { description: 'It is gone.' } },
    problems: [
      'bad-field',
      'missing-field',
      'duplicate-field',
      'unauthorized',
      'unknown-record',
      'unsupported-media-type',
    ],
  },
  'GET /record/status': {
    id: 'recordStatus',
    tag: 'Recordings',
    summary: 'Everything that is known of a recording',
    description: 'Needs nothing but the link. 200 whatever became of it, unless it is gone.',
    answers: { 200: { description: 'Its state.', example: exampleStatus } },
    problems: ['bad-field', 'missing-field', 'unknown-record', 'gone', 'rate-limited'],
  },
  'GET /record/peaks': {
    id: 'recordPeaks',
    tag: 'Recordings',
    summary: 'The waveform of a recording',
    description:
      'For players that draw it: JSON as audiowaveform writes it. At most 4,000 pixels, and each covers all channels.',
    answers: {
      200: {
        description: 'The lowest and the highest sample of each pixel.',
        example: {
          version: 2,
          channels: 1,
          sample_rate: 44_100,
          samples_per_pixel: 19_845,
          bits: 8,
          length: 2,
          data: [-3, 2, -97, 101],
        },
      },
      202: { description: 'It is not ready yet.', headers: ['Retry-After'], example: exampleWaiting },
    },
    problems: ['bad-field', 'missing-field', 'unknown-record', 'no-peaks', 'gone', 'transcoding-failed'],
  },
  'GET /record/events': {
    id: 'followRecord',
    tag: 'Recordings',
    summary: 'What becomes of a recording, as it happens',
    description:
      'Server-sent events, for `EventSource`. An event `status` at once and at each change, whose data is the 202 of the ' +
      'link; at the end the state and one event `ready`, `failed`, `deleted` or `expired`. Close it then.',
    headers: ['Last-Event-ID'],
    answers: { 200: streamOf(exampleWaiting) },
    problems: ['bad-field', 'missing-field', 'unknown-record', 'gone', 'rate-limited'],
  },
  'GET /records/events': {
    id: 'followRecords',
    tag: 'Recordings',
    summary: 'What becomes of several recordings, as it happens',
    description:
      'As `/record/events`, for up to 50 recordings of one user on one connection: the data of each event says with `id` ' +
      'whose it is. One that there is not is told as `deleted`. It ends when none of them waits any more.',
    headers: ['Last-Event-ID'],
    answers: { 200: streamOf({ id: exampleRecord.id, ...exampleWaiting }) },
    problems: ['bad-field', 'missing-field', 'rate-limited'],
  },
  'GET /records': {
    id: 'listRecords',
    tag: 'Recordings',
    summary: "The user's own recordings",
    description: 'Newest first, page by page.',
    token: 'required',
    answers: {
      200: {
        description: 'A page; `nextCursor` is null on the last one.',
        example: {
          records: [
            { ...exampleStatus, url: exampleRecord.url, statusUrl: exampleRecord.statusUrl, title: null },
          ],
          nextCursor: null,
        },
      },
    },
    problems: ['bad-field', 'missing-field', 'duplicate-field', 'unauthorized', 'rate-limited'],
  },
}
