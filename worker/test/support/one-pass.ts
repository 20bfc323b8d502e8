/** What one encoder writes in one pass: plain ffmpeg, started by hand, as the judge of what our segments join to. */
import { spawn } from 'node:child_process'
import type { EncodeOptions } from '@wavemill/core/encode-options'

/** Raw samples. */
export interface Pcm {
  readonly bytes: Buffer
  readonly encoding: 's16' | 's24' | 'f32'
  readonly sampleRate: number
  readonly channels: number
}

/** @returns frames only; without a bit reservoir unless asked for one, as segments are encoded that are joined. */
export function encodeInOnePass(
  pcm: Pcm,
  options: EncodeOptions = {},
  reservoir: 0 | 1 = 0,
): Promise<Buffer> {
  const { quality = 2, bitrate, channels = Math.min(2, pcm.channels), sampleRate = pcm.sampleRate } = options
  const input = ['-f', `${pcm.encoding}le`, '-ar', `${pcm.sampleRate}`, '-ac', `${pcm.channels}`]
  const rate = bitrate === undefined ? ['-q:a', `${quality}`] : ['-b:a', `${bitrate}k`]
  const target = [...exactLength(pcm, sampleRate), '-ac', `${channels}`, '-ar', `${sampleRate}`]
  const plain = [
    '-reservoir',
    `${reservoir}`,
    '-write_xing',
    '0',
    '-id3v2_version',
    '0',
    '-f',
    'mp3',
    'pipe:1',
  ]
  const args = ['-v', 'error', ...input, '-i', 'pipe:0', ...rate, ...target, ...plain]
  return new Promise((resolve, reject) => {
    const ffmpeg = spawn('ffmpeg', args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const pieces: Buffer[] = []
    ffmpeg.on('error', reject)
    ffmpeg.stdin.on('error', () => {}) // ffmpeg says why it ended
    ffmpeg.stdout.on('data', (piece: Buffer) => pieces.push(piece))
    ffmpeg.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(pieces))
      else reject(new Error(`ffmpeg ended with ${code}`))
    })
    ffmpeg.stdin.end(pcm.bytes)
  })
}

/** ffmpeg's resampler alone may end a sample early. */
function exactLength({ bytes, encoding, channels, sampleRate }: Pcm, outputRate: number): string[] {
  if (sampleRate === outputRate) return []
  const samples = bytes.length / channels / { s16: 2, s24: 3, f32: 4 }[encoding]
  const end = Math.ceil((samples * outputRate) / sampleRate)
  return ['-af', `apad=pad_len=4096,aresample=${outputRate},atrim=end_sample=${end}`]
}
