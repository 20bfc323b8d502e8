/** Hand-built WAV files, honest or lying, from the RIFF/WAVE specification and EBU Tech 3306 (RF64). */
import { type Material, sweep } from './material.ts'
import { type WavFormat, writeFormat } from './wav-format-chunk.ts'
import { sampleWriters, type WavEncoding } from './wav-samples.ts'

interface WavChunk {
  readonly id: string
  readonly data: Uint8Array
  /** false: no pad byte after an odd size, as some writers forget it. */
  readonly padded?: boolean
  /** What its header says instead of its true size. */
  readonly declaredBytes?: number
}

export interface WavSpec {
  /** RIFX writes everything big-endian; RF64 and BW64 carry their sizes in a `ds64`. Default RIFF. */
  readonly container?: 'RIFF' | 'RIFX' | 'RF64' | 'BW64'
  /** Default s16. */
  readonly encoding?: WavEncoding
  /** Default 44100. */
  readonly sampleRate?: number
  /** Default 2. */
  readonly channels?: number
  /** Samples of one channel; default 4410. */
  readonly samples?: number
  /** Default a sine sweep. */
  readonly material?: Material
  /** The audio repeats after so many samples, so that gigabytes cost no time to make. Default: never. */
  readonly loopSamples?: number
  /** Upper bits of each integer that are used; default all. */
  readonly validBits?: number
  /** Writes WAVE_FORMAT_EXTENSIBLE. */
  readonly extensible?: boolean
  readonly channelMask?: number
  /** Size of the `fmt ` chunk; default 16, or 40 when extensible. */
  readonly fmtBytes?: number
  readonly before?: readonly WavChunk[]
  readonly between?: readonly WavChunk[]
  readonly after?: readonly WavChunk[]
  /** Lies of the `fmt ` chunk. */
  readonly format?: Partial<WavFormat>
  /** Lies about sizes; those of an RF64 go into its `ds64`. */
  readonly declared?: { readonly riffBytes?: number; readonly dataBytes?: number }
}

const OPEN = 0xffff_ffff
const formatTags: Readonly<Record<WavEncoding, number>> = {
  u8: 1,
  s16: 1,
  s24: 1,
  s32: 1,
  s64: 1,
  f32: 3,
  f64: 3,
  alaw: 6,
  mulaw: 7,
}

/** The whole file. */
export function buildWav(spec: WavSpec = {}): Buffer {
  return Buffer.concat([...streamWav(spec)])
}

/** The file from its beginning in pieces of about 64 KiB, none of which is kept. */
export function* streamWav(spec: WavSpec = {}): Generator<Buffer> {
  yield wavHead(spec)
  yield* streamAudio(spec)
  yield chunks(spec, spec.after)
}

/** Everything before the first sample. */
export function wavHead(spec: WavSpec = {}): Buffer {
  const { container = 'RIFF', before, between, after, declared } = spec
  const big = container === 'RIFX'
  const is64 = container === 'RF64' || container === 'BW64'
  const audioBytes = audioBytesOf(spec)
  const fmt = chunk({ id: 'fmt ', data: formatOf(spec) }, big)
  const middle = Buffer.concat([chunks(spec, before), fmt, chunks(spec, between)])
  const ds64Bytes = is64 ? 36 : 0
  const riffBytes = 4 + ds64Bytes + middle.length + 8 + audioBytes + chunks(spec, after).length
  const sizes = { riffBytes, dataBytes: audioBytes, ...declared }
  const ds64 = is64 ? [chunk({ id: 'ds64', data: ds64Of(sizes, spec.samples ?? 4410) }, big)] : []
  return Buffer.concat([
    chunkHead(container, is64 ? OPEN : sizes.riffBytes, big),
    Buffer.from('WAVE', 'latin1'),
    ...ds64,
    middle,
    chunkHead('data', is64 ? OPEN : sizes.dataBytes, big),
  ])
}

/** Bytes of one sample of all channels. */
function blockAlignOf({ encoding = 's16', channels = 2 }: WavSpec): number {
  return sampleWriters[encoding].bytes * channels
}

/** The samples alone, as they lie in the `data` chunk. */
export function* streamAudio(spec: WavSpec): Generator<Buffer> {
  const { samples = 4410, loopSamples = samples } = spec
  if (loopSamples >= samples) {
    const step = Math.ceil(65_536 / blockAlignOf(spec))
    for (let first = 0; first < samples; first += step) {
      yield encode(spec, first, Math.min(samples, first + step))
    }
    return
  }
  const loop = encode(spec, 0, loopSamples)
  for (let left = audioBytesOf(spec); left > 0; left -= loop.length) {
    yield left < loop.length ? loop.subarray(0, left) : loop
  }
}

function encode(spec: WavSpec, first: number, end: number): Buffer {
  const { encoding = 's16', channels = 2, sampleRate = 44_100, material = sweep(), validBits = 64 } = spec
  const writer = sampleWriters[encoding]
  const big = spec.container === 'RIFX'
  const target = Buffer.alloc((end - first) * blockAlignOf(spec))
  let offset = 0
  for (let index = first; index < end; index += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      writer.write(target, offset, material(index, channel, sampleRate), big, validBits)
      offset += writer.bytes
    }
  }
  return target
}

function audioBytesOf(spec: WavSpec): number {
  return (spec.samples ?? 4410) * blockAlignOf(spec)
}

function formatOf(spec: WavSpec): Buffer {
  const { encoding = 's16', sampleRate = 44_100, channels = 2, extensible = false } = spec
  const bits = 8 * sampleWriters[encoding].bytes
  const validBits = spec.validBits ?? bits
  const format: WavFormat = {
    tag: extensible ? 0xfffe : formatTags[encoding],
    channels,
    sampleRate,
    byteRate: (sampleRate * blockAlignOf(spec)) % 2 ** 32,
    blockAlign: blockAlignOf(spec),
    // A plain header states the bits in use, an extensible one the container's.
    bitsPerSample: extensible ? bits : validBits,
    validBits,
    channelMask: spec.channelMask ?? 0,
    subTag: formatTags[encoding],
    ...spec.format,
  }
  const bytes = writeFormat(format, spec.container === 'RIFX')
  const length = spec.fmtBytes ?? (extensible ? 40 : 16)
  return Buffer.concat([bytes, Buffer.alloc(Math.max(0, length - bytes.length))]).subarray(0, length)
}

function ds64Of(sizes: { riffBytes: number; dataBytes: number }, samples: number): Buffer {
  const bytes = Buffer.alloc(28)
  bytes.writeBigUInt64LE(BigInt(sizes.riffBytes), 0)
  bytes.writeBigUInt64LE(BigInt(sizes.dataBytes), 8)
  bytes.writeBigUInt64LE(BigInt(samples), 16)
  return bytes
}

function chunks(spec: WavSpec, list: readonly WavChunk[] = []): Buffer {
  return Buffer.concat(list.map((one) => chunk(one, spec.container === 'RIFX')))
}

function chunk({ id, data, padded = true, declaredBytes = data.length }: WavChunk, big: boolean): Buffer {
  const pad = Buffer.alloc(padded ? data.length % 2 : 0)
  return Buffer.concat([chunkHead(id, declaredBytes, big), data, pad])
}

function chunkHead(id: string, bytes: number, big: boolean): Buffer {
  const head = Buffer.alloc(8)
  head.write(id, 0, 4, 'latin1')
  if (big) head.writeUInt32BE(bytes, 4)
  else head.writeUInt32LE(bytes, 4)
  return head
}
