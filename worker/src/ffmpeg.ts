/** Runs one ffmpeg that turns raw PCM into MP3: the only file that knows fluent-ffmpeg or starts a process. */
import { execFile, spawn } from 'node:child_process'
import { addAbortSignal, PassThrough, type Readable } from 'node:stream'
import { promisify } from 'node:util'
import ffmpeg, { type FfmpegCommand } from 'fluent-ffmpeg'
import { failureOfExit, failureOfSpawn } from './ffmpeg-failure.ts'

export interface Encoding {
  /** A path, or a name that the PATH holds; may be a script. */
  readonly ffmpegPath: string
  /** Audio bytes only, without any header. It is destroyed when ffmpeg is gone, however it ended. */
  readonly input: Readable
  /** ffmpeg's name of the raw format, such as `s16le`. */
  readonly encoding: string
  readonly inputRate: number
  readonly inputChannels: number
  readonly outputRate: number
  readonly outputChannels: 1 | 2
  /** Cut or filled up to exactly so many samples after resampling; undefined: as many as come out. */
  readonly outputSamples: number | undefined
  /** The bit reservoir makes frames depend on those before them: off where segments are joined. */
  readonly reservoir: boolean
  readonly signal: AbortSignal
}

/**
 * The MP3 frames of `input`, without any tag or Info frame.
 *
 * The stream ends only after ffmpeg itself ended well; in every other case it fails, with a `TranscodeError` where ffmpeg is to
 * blame, with the input's own error, or with an AbortError. Destroying it, which leaving a `for await` does, kills ffmpeg.
 */
export function encodeMp3(encoding: Encoding): Readable {
  const mp3 = new PassThrough()
  // A kill may come while the reader waits for something else; it sees the error at its next read.
  mp3.on('error', () => undefined)
  mp3.once('close', () => encoding.input.destroy())
  encoding.input.once('error', (error) => mp3.destroy(error))

  // `end: false`: fluent-ffmpeg would end the stream as if all were well when ffmpeg was killed.
  const command = describe(encoding).output(mp3, { end: false })
  command.on('end', () => mp3.end()).on('error', (error: Error) => mp3.destroy(error))
  Object.assign(command, guardedInternals(encoding.ffmpegPath, mp3))
  addAbortSignal(encoding.signal, mp3)
  command.run()
  return mp3
}

function describe(encoding: Encoding): FfmpegCommand {
  const command = ffmpeg(encoding.input)
    .inputOptions('-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error')
    .inputFormat(encoding.encoding)
    .inputOptions('-ar', String(encoding.inputRate), '-ac', String(encoding.inputChannels))
    .outputOptions('-map_metadata', '-1', '-vn', '-threads', '1')
    .outputOptions('-c:a', 'libmp3lame', '-q:a', '2', '-reservoir', encoding.reservoir ? '1' : '0')
    .outputOptions('-ar', String(encoding.outputRate), '-ac', String(encoding.outputChannels))
    .outputOptions('-write_xing', '0', '-id3v2_version', '0', '-f', 'mp3')
  if (encoding.outputSamples !== undefined) {
    // swresample gives too few samples of very short inputs, so it gets more than it needs and the surplus is cut off.
    const exactly = `atrim=end_sample=${encoding.outputSamples}`
    command.audioFilters(`apad=pad_len=4096,aresample=${encoding.outputRate},${exactly}`)
  }
  return command
}

type Ended = (error: Error | null, stdout: Ring, stderr: Ring) => void
interface Ring {
  get(): string
  callback(): void
}
const emptyRing: Ring = { get: () => '', callback: () => undefined }

/**
 * What replaces parts of fluent-ffmpeg 2.1.3, which is archived and will not change:
 * - its probes (`-formats`, `-encoders`) start two more processes and fail the job with them; see {@link probeFfmpeg};
 * - its spawn brings the whole process down when ffmpeg cannot be started (lib/processor.js:543 reads a ring buffer that is
 *   not there), keeps stderr lines of any length, and kills only the process itself.
 */
function guardedInternals(path: string, mp3: PassThrough) {
  return {
    _checkCapabilities: (done: (error: null) => void) => done(null),
    availableEncoders: (done: (error: null, encoders: object) => void) => done(null, {}),
    _spawnFfmpeg: (
      args: string[],
      _options: object,
      started: (child: object, ...rings: Ring[]) => void,
      ended: Ended,
    ) =>
      spawnGroup({
        path,
        args,
        mp3,
        started: (child) => started(child, emptyRing, emptyRing),
        ended: (error) => ended(error, emptyRing, emptyRing),
      }),
  }
}

/** Starts ffmpeg as the head of a process group, so that a script's own children die with it and a Ctrl-C is left to us. */
function spawnGroup(run: {
  path: string
  args: string[]
  mp3: PassThrough
  started(child: object): void
  ended(error: Error | null): void
}): void {
  if (run.mp3.destroyed) {
    run.ended(run.mp3.errored ?? new Error('stopped before it started'))
    return
  }
  let child: ReturnType<typeof spawn>
  try {
    child = spawn(run.path, run.args, { detached: true, stdio: 'pipe' })
  } catch (error) {
    run.ended(failureOfSpawn(error))
    return
  }
  const { pid, stdout, stderr } = child
  child.once('error', (error) => run.ended(failureOfSpawn(error)))
  if (pid === undefined || stdout === null || stderr === null) return // 'error' follows

  let complaint = ''
  stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-8_192)
  })
  let closed = false
  child.once('exit', (code) => {
    if (code !== 0) killGroup(pid) // a script's children would keep the pipes open
  })
  child.once('close', (code, signal) => {
    closed = true
    run.ended(code === 0 ? null : failureOfExit({ code, signal, stderr: complaint }))
  })
  run.mp3.once('close', () => {
    if (closed) return
    killGroup(pid)
    stdout.destroy() // unread bytes would hold back 'close'
    stderr.destroy()
  })
  run.started(child)
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error // all gone already
  }
}

/**
 * Asks ffmpeg once, at boot, whether it can do the work.
 *
 * @returns its version; undefined if it started but gave no list (a jobs's own error will tell more).
 * @throws if it cannot be started, or has no MP3 encoder.
 */
export async function probeFfmpeg(path: string): Promise<string | undefined> {
  const ask = (option: string) => promisify(execFile)(path, ['-hide_banner', option], { timeout: 10_000 })
  let encoders: string
  let version: string
  try {
    encoders = (await ask('-encoders')).stdout
    version = (await ask('-version')).stdout
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw failureOfSpawn(error)
    return undefined
  }
  if (!encoders.includes('libmp3lame')) throw new Error(`${path} has no MP3 encoder (libmp3lame)`)
  return /version (\S+)/.exec(version)?.[1] ?? 'unknown'
}
