/** Independent judges of an MP3 or a WAV: ffmpeg, ffprobe, mpg123, mp3val, mediainfo, and the signal-to-noise ratio. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file by its path, or its bytes. */
export type Audio = string | Uint8Array

/** Samples of one channel that ffmpeg decodes, delay and padding dropped as the Info frame says. */
export async function ffmpegSampleCount(mp3: Audio): Promise<number> {
  const decode = ['-i', 'FILE', '-ac', '1', '-f', 's16le', 'pipe:1']
  return (await countOutput(mp3, 'ffmpeg', [...quiet, ...decode])) / 2
}

/** Samples of one channel that mpg123 decodes (gapless, its default). */
export async function mpg123SampleCount(mp3: Audio): Promise<number> {
  return (await countOutput(mp3, 'mpg123', ['-q', '--gapless', '--mono', '-e', 's16', '-s', 'FILE'])) / 2
}

/** The samples of any audio file as ffmpeg decodes them, the channels interleaved; after a seek where one is asked for. */
export async function decodeByFfmpeg(audio: Audio, options?: { fromSeconds: number }): Promise<Float32Array> {
  const seek = options === undefined ? [] : ['-ss', `${options.fromSeconds}`]
  return floats(await output(audio, 'ffmpeg', [...quiet, ...seek, '-i', 'FILE', '-f', 'f32le', 'pipe:1']))
}

/** The samples of an MP3 as mpg123 decodes them (gapless), the channels interleaved. */
export async function decodeByMpg123(mp3: Audio): Promise<Float32Array> {
  return floats(await output(mp3, 'mpg123', ['-q', '--gapless', '-e', 'f32', '-s', 'FILE']))
}

/** How far `heard` is from `source`, in dB: 10 log10(signal / difference). Lengths must agree; equal gives Infinity. */
export function signalToNoise(source: ArrayLike<number>, heard: ArrayLike<number>): number {
  if (source.length !== heard.length) {
    throw new RangeError(`${heard.length} samples were heard of ${source.length}`)
  }
  let signal = 0
  let difference = 0
  for (let index = 0; index < source.length; index += 1) {
    const value = source[index] ?? 0
    signal += value ** 2
    difference += (value - (heard[index] ?? 0)) ** 2
  }
  return 10 * Math.log10(signal / difference)
}

export interface Probe {
  readonly streams: readonly Readonly<Record<string, unknown>>[]
  readonly format: Readonly<Record<string, unknown>> & { readonly tags?: Readonly<Record<string, string>> }
}

/** ffprobe's `-show_format -show_streams` as JSON. */
export async function ffprobe(audio: Audio): Promise<Probe> {
  const json = ['-v', 'error', '-show_format', '-show_streams', '-of', 'json', 'FILE']
  return JSON.parse((await output(audio, 'ffprobe', json)).toString())
}

/** mediainfo's fields of the audio track, or of the file in general: there are the tags. */
export async function mediainfo(
  audio: Audio,
  kind: 'Audio' | 'General' = 'Audio',
): Promise<Readonly<Record<string, string>>> {
  const report: { media: { track: Record<string, string>[] } } = JSON.parse(
    (await output(audio, 'mediainfo', ['--Output=JSON', 'FILE'])).toString(),
  )
  const track = report.media.track.find((one) => one['@type'] === kind)
  if (track === undefined) throw new Error(`mediainfo found no ${kind}`)
  return track
}

/** What mp3val complains of, one sentence each; empty for a sound file. That a file has no ID3 tag is no fault. */
export async function mp3valProblems(mp3: Audio): Promise<string[]> {
  const report = (await output(mp3, 'mp3val', ['FILE'])).toString()
  const problems = report.matchAll(/^(?:WARNING|ERROR): ".*?"(?: \(.*?\))?: (.*)$/gm)
  return Array.from(problems, ([, text = '']) => text).filter((text) => !text.startsWith('No supported tags'))
}

const quiet = ['-hide_banner', '-nostdin', '-v', 'error']

async function output(audio: Audio, tool: string, args: readonly string[]): Promise<Buffer> {
  const pieces: Buffer[] = []
  await run(audio, tool, args, (piece) => pieces.push(piece))
  return Buffer.concat(pieces)
}

async function countOutput(audio: Audio, tool: string, args: readonly string[]): Promise<number> {
  let bytes = 0
  await run(audio, tool, args, (piece) => {
    bytes += piece.length
  })
  return bytes
}

/** Runs `tool` with the path of `audio` in the place of FILE. */
async function run(audio: Audio, tool: string, args: readonly string[], onOutput: (piece: Buffer) => void) {
  if (typeof audio === 'string') return await spawnTool(tool, args, audio, onOutput)
  const folder = await mkdtemp(join(tmpdir(), 'wavemill-judge-'))
  try {
    const path = join(folder, 'audio')
    await writeFile(path, audio)
    await spawnTool(tool, args, path, onOutput)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function spawnTool(
  tool: string,
  args: readonly string[],
  path: string,
  onOutput: (piece: Buffer) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const named = args.map((arg) => (arg === 'FILE' ? path : arg))
    const env = { ...process.env, LC_ALL: 'C.UTF-8' } // elsewhere mediainfo prints ? for what is not ASCII
    const child = spawn(tool, named, { stdio: ['ignore', 'pipe', 'pipe'], env })
    let complaints = ''
    child.stdout.on('data', onOutput)
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${tool} ended with ${code}: ${complaints.slice(0, 2000)}`))
    })
  })
}

function floats(bytes: Buffer): Float32Array {
  const values = new Float32Array(bytes.length / 4)
  for (let index = 0; index < values.length; index += 1) values[index] = bytes.readFloatLE(4 * index)
  return values
}
