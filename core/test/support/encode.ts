/** Encodes raw samples with the real ffmpeg as the worker does, into frames without any header. */
import { spawn } from 'node:child_process'
import { streamAudio, type WavSpec } from '../../../test/support/wav.ts'

/**
 * @param spec the samples (s16).
 * @param options for the encoder, such as `-q:a 2`.
 */
export function encode(spec: WavSpec, options: readonly string[]): Promise<Buffer> {
  const { sampleRate = 44_100, channels = 2 } = spec
  const input = ['-f', 's16le', '-ar', `${sampleRate}`, '-ac', `${channels}`, '-i', 'pipe:0']
  const output = ['-write_xing', '0', '-id3v2_version', '0', '-f', 'mp3', 'pipe:1']
  return new Promise((resolve, reject) => {
    const ffmpeg = spawn('ffmpeg', ['-v', 'error', ...input, ...options, ...output], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const pieces: Buffer[] = []
    ffmpeg.on('error', reject)
    ffmpeg.stdout.on('data', (piece: Buffer) => pieces.push(piece))
    ffmpeg.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(pieces))
      else reject(new Error(`ffmpeg ended with ${code}`))
    })
    for (const piece of streamAudio(spec)) ffmpeg.stdin.write(piece)
    ffmpeg.stdin.end()
  })
}
