/** The one error of everything that reads a WAV's header. */

export type WavErrorCode =
  | 'not-wav' // not even RIFF....WAVE
  | 'unsupported-codec' // a WAV whose audio nobody here can decode
  | 'malformed' // a header that contradicts itself or the specification
  | 'cut-header' // it ends before the header does
  | 'no-audio' // a whole header, and not one sample

/** The message is a sentence for the client: it says what is wrong with the file. */
export class WavError extends Error {
  readonly code: WavErrorCode
  constructor(code: WavErrorCode, message: string) {
    super(message)
    this.name = 'WavError'
    this.code = code
  }
}

/** @param what is wrong, as it can follow a colon. */
export function malformedHeader(what: string): WavError {
  return new WavError('malformed', `The WAV's header is wrong: ${what}.`)
}

/** @param what the file holds. */
export function unsupportedAudio(what: string): WavError {
  return new WavError('unsupported-codec', `The WAV holds ${what}, which cannot be converted.`)
}
