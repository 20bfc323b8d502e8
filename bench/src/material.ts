/** Makes WAV recordings of any length as a stream, so that no test material is kept anywhere. */
import { bytesPerSecond, type WavFormat, wavHead } from './wav-head.ts'

const BLOCK_SECONDS = 7

/** As a CD has it: 16 bits, 44.1 kHz, stereo. */
const compactDisc: WavFormat = {
  container: 'RIFF',
  formatTag: 1,
  sampleRate: 44_100,
  channels: 2,
  bytesPerSample: 2,
}

/** The largest that a WAV makes of a second: 64-bit floats, and sizes that 32 bits need not hold. */
export const longFloat: WavFormat = {
  container: 'RF64',
  formatTag: 3,
  sampleRate: 48_000,
  channels: 2,
  bytesPerSample: 8,
}

export interface Upload {
  /** Of the whole file. */
  readonly bytes: number
  /** The file from its beginning; each call begins anew, with the same bytes. */
  stream(): Iterable<Buffer> | AsyncIterable<Buffer>
}

export interface Recording extends Upload {
  readonly seconds: number
  stream(): Iterable<Buffer>
}

/**
 * A stereo recording, by default of a CD's format. Seven seconds of material repeat, so that making it costs the client
 * nothing.
 *
 * @param sound music, or silence where only the bytes count: an encoder is through with it in a fraction of the time.
 */
export function recordingOf(
  size: { seconds: number } | { audioBytes: number },
  sound: 'music' | 'silence' = 'music',
  format: WavFormat = compactDisc,
): Recording {
  const audioBytes = 'seconds' in size ? size.seconds * bytesPerSecond(format) : size.audioBytes
  const head = wavHead(format, audioBytes)
  let made: Buffer | undefined // once for all streams: it takes longer than sending half a minute
  const blockOf = () => (sound === 'music' ? musicBlock(format) : Buffer.alloc(blockBytes(format)))
  return {
    bytes: head.length + audioBytes,
    seconds: audioBytes / bytesPerSecond(format),
    *stream() {
      yield head
      made ??= blockOf()
      const block = made
      for (let left = audioBytes; left > 0; left -= block.length) {
        yield left < block.length ? block.subarray(0, left) : block
      }
    },
  }
}

function blockBytes(format: WavFormat): number {
  return BLOCK_SECONDS * bytesPerSecond(format)
}

/** Chords that change each half second, their overtones, and noise that swells: an encoder works on it as on music. */
function musicBlock(format: WavFormat): Buffer {
  const block = Buffer.alloc(blockBytes(format))
  const random = createRandom(1)
  let offset = 0
  for (let frame = 0; frame < BLOCK_SECONDS * format.sampleRate; frame += 1) {
    const time = frame / format.sampleRate
    const root = 110 * 2 ** (((Math.floor(time * 2) * 5) % 12) / 12)
    const swell = 0.5 + 0.5 * Math.sin(2 * Math.PI * 0.7 * time)
    for (let channel = 0; channel < format.channels; channel += 1) {
      let sample = 0.1 * swell * (random() - 0.5)
      for (const [overtone, level] of overtones) {
        sample += level * Math.sin(2 * Math.PI * root * overtone * time + channel * overtone)
      }
      offset =
        format.formatTag === 3
          ? block.writeDoubleLE(sample, offset)
          : block.writeInt16LE(Math.round(sample * 32_767), offset)
    }
  }
  return block
}

const overtones = [
  [1, 0.25],
  [1.26, 0.15],
  [1.5, 0.15],
  [2, 0.1],
  [5, 0.05],
  [13, 0.03],
] as const

/** Mulberry32: the same numbers from 0 to 1 in each run. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
