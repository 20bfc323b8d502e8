/** Why a recording failed for good: the closed set of codes, and the sentence that each begins with. */

/** A failure's code, as stored in `record.failure_code` and shown at the link (422). */
export type FailureCode =
  | 'undecodable' // ffmpeg refused the audio
  | 'wrong-length' // ffmpeg ended well but gave another number of frames than planned
  | 'source-lost' // the stored WAV is gone or shorter than it was
  | 'attempts-exhausted' // errors that may pass, SEGMENT_ATTEMPTS times
  | 'workers-died' // ten processes died while they worked on it

export const failureTitles: Readonly<Record<FailureCode, string>> = {
  undecodable: 'The audio could not be decoded.',
  'wrong-length': 'The encoder gave another length than the recording has.',
  'source-lost': 'The stored recording is no longer complete.',
  'attempts-exhausted': 'Transcoding failed each time it was tried.',
  'workers-died': 'The process that transcoded it died each time.',
}

/** True if `code` is one of {@link FailureCode}; what comes out of the database is only a string. */
export function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(failureTitles, code)
}

/** An error of one attempt at a segment: permanent ones fail the record at once, others are tried again. */
export class TranscodeError extends Error {
  readonly code: FailureCode
  readonly permanent: boolean
  constructor(code: FailureCode, detail: string, options: { permanent: boolean; cause?: unknown }) {
    super(detail, { cause: options.cause })
    this.name = 'TranscodeError'
    this.code = code
    this.permanent = options.permanent
  }
}
