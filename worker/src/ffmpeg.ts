/** Runs one ffmpeg that turns raw PCM into MP3: the only file that knows fluent-ffmpeg. */
import { addAbortSignal, PassThrough, Readable } from 'node:stream'
import type { RateControl } from '@wavemill/core/encode-options'
import type { Mixdown } from '@wavemill/core/mixdown'
import ffmpeg, { type FfmpegCommand } from 'fluent-ffmpeg'
import { limitResources } from './limit-resources.ts'
import { readOutput, startGroup } from './process-group.ts'

/** Bytes [startByte, endByte) of a file that ffmpeg reads by itself; if the file is shorter, that is its end, and no error. */
export interface FileRange {
  readonly path: string
  readonly startByte: number
  readonly endByte: number
}

export interface Encoding {
  /** A path, or a name that the PATH holds; may be a script. */
  readonly ffmpegPath: string
  /** Audio bytes only, without any header of the file's own. A stream is destroyed when ffmpeg is gone, however it ended. */
  readonly input: Readable | FileRange
  /** ffmpeg's name of the raw format, such as `s16le`; or `wav` for packed audio, which begins with a header that we made. */
  readonly encoding: string
  readonly inputRate: number
  readonly inputChannels: number
  readonly outputRate: number
  readonly outputChannels: 1 | 2
  /** No more of it is encoded: the last block of packed audio is filled up. undefined: all. */
  readonly inputSamples?: number | undefined
  /** undefined: there are as many channels as go in. */
  readonly mixdown: Mixdown | undefined
  /** Cut or filled up to exactly so many samples after resampling; undefined: as many as come out. */
  readonly outputSamples: number | undefined
  readonly rateControl: RateControl
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
  const { input } = encoding
  if (input instanceof Readable) {
    mp3.once('close', () => input.destroy())
    input.once('error', (error) => mp3.destroy(error))
  }

  // `end: false`: fluent-ffmpeg would end the stream as if all were well when ffmpeg was killed.
  const command = buildCommand(encoding).output(mp3, { end: false })
  command.on('end', () => mp3.end()).on('error', (error: Error) => mp3.destroy(error))
  Object.assign(command, guardedInternals(encoding, mp3))
  addAbortSignal(encoding.signal, mp3)
  command.run()
  return mp3
}

function buildCommand(encoding: Encoding): FfmpegCommand {
  const command = ffmpeg()
    .input(encoding.input instanceof Readable ? encoding.input : urlOf(encoding.input))
    .inputOptions('-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error')
    .inputOptions('-filter_threads', '1', '-threads', '1')
    .inputFormat(encoding.encoding)
    .inputOptions(inputOptions(encoding))
    .outputOptions('-map_metadata', '-1', '-vn', '-threads', '1')
    .outputOptions('-c:a', 'libmp3lame', ...rateOptions(encoding.rateControl))
    .outputOptions('-reservoir', encoding.reservoir ? '1' : '0')
    .outputOptions('-ar', String(encoding.outputRate), '-ac', String(encoding.outputChannels))
    .outputOptions('-write_xing', '0', '-id3v2_version', '0', '-f', 'mp3')
    // Else each frame is a write of ffmpeg's and a read of ours: 6 % of its time, and a third of ours.
    .outputOptions('-flush_packets', '0')
  const filters = filtersOf(encoding)
  return filters.length === 0 ? command : command.audioFilters(filters)
}

/** Of ffmpeg's protocol for a part of a file: https://ffmpeg.org/ffmpeg-protocols.html#subfile */
function urlOf({ path, startByte, endByte }: FileRange): string {
  return `subfile,,start,${startByte},end,${endByte},,:file:${path}`
}

function inputOptions({ input, encoding, inputRate, inputChannels }: Encoding): string[] {
  // The format is forced and only this input may be read, so that no byte can send ffmpeg anywhere else.
  const options = ['-protocol_whitelist', input instanceof Readable ? 'pipe' : 'subfile,file']
  if (encoding === 'wav') return [...options, '-ignore_length', '1']
  // Without `-xerror` a disk that cannot be read would be the end of the input.
  return [...options, '-xerror', '-ar', String(inputRate), '-ac', String(inputChannels)]
}

function rateOptions(control: RateControl): string[] {
  return control.kind === 'vbr' ? ['-q:a', String(control.quality)] : ['-b:a', `${control.bitrateKbps}k`]
}

function filtersOf({ inputSamples, mixdown, outputRate, outputSamples }: Encoding): string[] {
  const filters: string[] = []
  if (inputSamples !== undefined) filters.push(`atrim=end_sample=${inputSamples}`)
  // ffmpeg's own mix refuses some masks, lets floats clip, and makes one channel quieter on its way to two.
  if (mixdown !== undefined) filters.push(panFilter(mixdown))
  // swresample gives too few samples of very short inputs, so it gets more than it needs and the surplus is cut off.
  if (outputSamples !== undefined) {
    filters.push('apad=pad_len=4096', `aresample=${outputRate}`, `atrim=end_sample=${outputSamples}`)
  }
  return filters
}

function panFilter(mixdown: Mixdown): string {
  const outputs = mixdown.map(
    (gains, output) => `c${output}=${gains.map((gain, input) => `${gain}*c${input}`).join('+')}`,
  )
  return `pan=${[mixdown.length === 1 ? 'mono' : 'stereo', ...outputs].join('|')}`
}

/** Stands for the output that fluent-ffmpeg would keep; what ffmpeg complains of is in the failure. */
const emptyRing = { get: () => '', callback: () => undefined }
type Ring = typeof emptyRing

/**
 * What replaces parts of fluent-ffmpeg 2.1.3, which is archived and will not change (docs/decisions/0020-ffmpeg-process.md):
 * - its probes (`-formats`, `-encoders`) start two more processes and fail the job with them; see {@link probeFfmpeg};
 * - its spawn brings the whole process down when ffmpeg cannot be started (lib/processor.js:543 reads a ring buffer that is
 *   not there), keeps stderr lines of any length, and kills only the process itself.
 */
function guardedInternals({ ffmpegPath, input }: Encoding, mp3: PassThrough) {
  return {
    _checkCapabilities: (done: (error: null) => void) => done(null),
    availableEncoders: (done: (error: null, encoders: object) => void) => done(null, {}),
    _spawnFfmpeg(
      args: string[],
      _options: object,
      started: (child: object, stdout: Ring, stderr: Ring) => void,
      ended: (error: Error | null, stdout: Ring, stderr: Ring) => void,
    ): void {
      const end = (error: Error | null) => ended(error, emptyRing, emptyRing)
      if (mp3.destroyed) {
        end(mp3.errored ?? new Error('stopped before it started'))
        return
      }
      const [program, limitedArgs] = limitResources(ffmpegPath, args)
      const group = startGroup(program, limitedArgs, input instanceof Readable ? 'pipe' : 'ignore', end)
      if (group === undefined) return
      mp3.once('close', group.kill)
      started(group.child, emptyRing, emptyRing)
    },
  }
}

/**
 * Asks ffmpeg once, at boot, whether it can do the work.
 *
 * @returns its version; undefined if it started but gave no answer: then the jobs' own failures will tell.
 * @throws if it cannot be started, or lacks what the work needs.
 */
export async function probeFfmpeg(path: string, timeoutMs = 5_000): Promise<string | undefined> {
  const encoders = await readOutput(path, ['-hide_banner', '-encoders'], timeoutMs)
  if (encoders === undefined) return undefined
  if (!encoders.includes('libmp3lame')) throw new Error(`${path} has no MP3 encoder (libmp3lame)`)
  const protocols = await readOutput(path, ['-hide_banner', '-protocols'], timeoutMs)
  if (protocols?.includes('subfile') === false)
    throw new Error(`${path} cannot read part of a file (subfile)`)
  const version = await readOutput(path, ['-version'], timeoutMs)
  return /version (\S+)/.exec(version ?? '')?.[1]
}
