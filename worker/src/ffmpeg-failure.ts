/** Tells from how an ffmpeg ended whose fault it was: the recording's, this attempt's, or the machine's. */
import { TranscodeError } from '@wavemill/core/failures'

/** How a process ended other than well. */
export interface FailedExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last of what it printed. */
  readonly stderr: string
}

// Sent by somebody else: an operator, the kernel short of memory, a service manager. A crash (SIGABRT, SIGSEGV) is not among them.
const killSignals: ReadonlySet<string | null> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'])
// ffmpeg ends with 255 after SIGTERM and SIGINT; a shell gives 128 + the signal of what it ran, 126 and 127 if it could not run it.
const killCodes: ReadonlySet<number | null> = new Set([255, 126, 127, 129, 130, 131, 137, 143])

const resourceComplaint =
  /cannot allocate memory|out of memory|resource temporarily unavailable|too many open files|no space left|input\/output error|error while loading shared libraries/i
const decodeComplaint =
  /invalid data|invalid argument|error while decoding|(could|can) ?not (find|decode|determine)|failed to decode|decoding failed|unsupported|not supported|not (yet )?implemented|unknown (format|codec|decoder)|unable to parse|corrupt/i

/**
 * - Killed, or short of something: `workers-died`, tried again and not counted as an error of the recording.
 * - It complained about the audio: `undecodable`, permanent.
 * - Everything else: `attempts-exhausted`, tried again as often as SEGMENT_ATTEMPTS says.
 */
export function failureOfExit(exit: FailedExit): TranscodeError {
  const detail = describe(exit)
  if (killSignals.has(exit.signal) || killCodes.has(exit.code) || resourceComplaint.test(exit.stderr)) {
    return new TranscodeError('workers-died', detail, { permanent: false })
  }
  if (exit.code !== null && decodeComplaint.test(exit.stderr)) {
    return new TranscodeError('undecodable', detail, { permanent: true })
  }
  return new TranscodeError('attempts-exhausted', detail, { permanent: false })
}

/** ffmpeg could not be started at all: no file, no right, no process or handle left. */
export function failureOfSpawn(cause: unknown): TranscodeError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
  return new TranscodeError('workers-died', `ffmpeg could not be started (${code})`, {
    permanent: false,
    cause,
  })
}

function describe({ code, signal, stderr }: FailedExit): string {
  const how = signal === null ? `ffmpeg ended with exit code ${code}` : `ffmpeg was ended by ${signal}`
  const said = shorten(stderr)
  return said === '' ? how : `${how}: ${said}`
}

/** The last three lines, without addresses, paths and control characters: the text is shown at the link. */
function shorten(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter((line) => line.trim() !== '')
  return lines
    .slice(-3)
    .join(' | ')
    .replace(/ @ 0x[0-9a-f]+/gi, '')
    .replace(/(?<![\w.])\/[^\s:'"]+/g, '(file)')
    .replace(/[^\P{C}]/gu, ' ')
    .slice(0, 300)
    .trim()
}
