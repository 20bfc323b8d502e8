/** Makes WAV recordings of any length as a stream, so that no test material is kept anywhere. */

const SAMPLE_RATE = 44_100
const CHANNELS = 2
const BYTES_PER_SECOND = SAMPLE_RATE * CHANNELS * 2
const HEADER_BYTES = 44
const BLOCK_SECONDS = 7
const BLOCK_BYTES = BLOCK_SECONDS * BYTES_PER_SECOND

export interface Recording {
  /** Of the whole file. */
  readonly bytes: number
  readonly seconds: number
  /** The file from its beginning; each call begins anew, with the same bytes. */
  stream(): Iterable<Buffer>
}

/**
 * A 16-bit stereo recording of 44.1 kHz. Seven seconds of material repeat, so that making it costs the client nothing.
 *
 * @param sound music, or silence where only the bytes count: an encoder is through with it in a fraction of the time.
 */
export function recordingOf(
  size: { seconds: number } | { audioBytes: number },
  sound: 'music' | 'silence' = 'music',
): Recording {
  const audioBytes = 'seconds' in size ? size.seconds * BYTES_PER_SECOND : size.audioBytes
  return {
    bytes: HEADER_BYTES + audioBytes,
    seconds: audioBytes / BYTES_PER_SECOND,
    *stream() {
      yield header(audioBytes)
      const block = sound === 'music' ? musicBlock() : Buffer.alloc(BLOCK_BYTES)
      for (let left = audioBytes; left > 0; left -= block.length) {
        yield left < block.length ? block.subarray(0, left) : block
      }
    },
  }
}

function header(audioBytes: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  bytes.write('RIFF', 0, 'latin1')
  bytes.writeUInt32LE(HEADER_BYTES - 8 + audioBytes, 4)
  bytes.write('WAVEfmt ', 8, 'latin1')
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(CHANNELS, 22)
  bytes.writeUInt32LE(SAMPLE_RATE, 24)
  bytes.writeUInt32LE(BYTES_PER_SECOND, 28)
  bytes.writeUInt16LE(CHANNELS * 2, 32)
  bytes.writeUInt16LE(16, 34)
  bytes.write('data', 36, 'latin1')
  bytes.writeUInt32LE(audioBytes, 40)
  return bytes
}

/** Chords that change each half second, their overtones, and noise that swells: an encoder works on it as on music. */
function musicBlock(): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES)
  const random = createRandom(1)
  for (let frame = 0; frame < BLOCK_SECONDS * SAMPLE_RATE; frame += 1) {
    const time = frame / SAMPLE_RATE
    const root = 110 * 2 ** (((Math.floor(time * 2) * 5) % 12) / 12)
    const swell = 0.5 + 0.5 * Math.sin(2 * Math.PI * 0.7 * time)
    for (let channel = 0; channel < CHANNELS; channel += 1) {
      let sample = 0.1 * swell * (random() - 0.5)
      for (const [overtone, level] of overtones) {
        sample += level * Math.sin(2 * Math.PI * root * overtone * time + channel * overtone)
      }
      block.writeInt16LE(Math.round(sample * 32_767), (frame * CHANNELS + channel) * 2)
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
