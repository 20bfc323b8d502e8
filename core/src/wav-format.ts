/** Reads a WAV's `fmt ` chunk: which samples lie in the file, or why they cannot be converted. */
import { parsePackedFormat } from './packed-formats.ts'
import type { AudioFormat, RawFormat } from './pcm-source.ts'
import { numbersOf } from './riff-chunks.ts'
import { nameOfFormatTag } from './wav-codecs.ts'
import { malformedHeader, unsupportedAudio } from './wav-error.ts'

const MAX_CHANNELS = 8
const MIN_SAMPLE_RATE = 1000
const MAX_SAMPLE_RATE = 1_536_000

const TAG_PCM = 1
const TAG_FLOAT = 3
const TAG_ALAW = 6
const TAG_MULAW = 7
const TAG_EXTENSIBLE = 0xfffe

/** Bytes of the chunk that mean something to us: all of an extensible one. */
export const FORMAT_BYTES = 40
const PLAIN_FORMAT_BYTES = 16

export type WavFormat = AudioFormat & {
  /** For people, e.g. `PCM 16-bit`. */
  readonly codec: string
}

/** The chunk's fields, before anything was made of them. */
interface Fields {
  readonly tag: number
  readonly channels: number
  readonly sampleRate: number
  readonly blockAlign: number
  readonly containerBits: number
  readonly validBits: number
  readonly channelMask: number | undefined
  readonly isExtensible: boolean
}

/**
 * The byte rate is not looked at: it follows from the rest, and many writers get it wrong.
 *
 * @param bytes the chunk's content, at least its first {@link FORMAT_BYTES} if it has so many.
 * @throws WavError `malformed` if the fields contradict each other, `unsupported-codec` if nobody here can decode it.
 */
export function parseFormat(bytes: Uint8Array, bigEndian: boolean): WavFormat {
  const fields = readFields(bytes, bigEndian)
  const codec = nameOfFormatTag(fields.tag)
  // Nobody knows in which order the numbers within the blocks of a RIFX are.
  const packed = bigEndian ? undefined : parsePackedFormat(fields, codec)
  if (packed === undefined) return rawFormat(fields, bigEndian)
  checkRanges(fields)
  return { ...packed, codec }
}

function rawFormat(fields: Fields, bigEndian: boolean): RawFormat & { readonly codec: string } {
  const { channels, sampleRate, blockAlign, validBits, channelMask } = fields
  const { encoding, bytesPerSample, codec } = encodingOf(fields, bigEndian)
  checkRanges(fields)
  if (blockAlign !== channels * bytesPerSample) {
    throw malformedHeader(
      `a block of ${blockAlign} bytes does not fit ${channels} channels of ${validBits} bits`,
    )
  }
  return {
    encoding,
    sampleRate,
    channels,
    bitsPerSample: validBits,
    bytesPerSample,
    blockAlign,
    channelMask,
    codec,
  }
}

function readFields(bytes: Uint8Array, bigEndian: boolean): Fields {
  if (bytes.length < PLAIN_FORMAT_BYTES)
    throw malformedHeader(`its "fmt " chunk has only ${bytes.length} bytes`)
  const { u16, u32 } = numbersOf(bytes, bigEndian)
  const plain = { channels: u16(2), sampleRate: u32(4), blockAlign: u16(12), containerBits: u16(14) }
  if (u16(0) !== TAG_EXTENSIBLE) {
    return {
      ...plain,
      tag: u16(0),
      validBits: plain.containerBits,
      channelMask: undefined,
      isExtensible: false,
    }
  }
  if (bytes.length < FORMAT_BYTES) {
    throw malformedHeader(`its extensible "fmt " chunk has only ${bytes.length} bytes`)
  }
  const validBits = u16(18) === 0 ? plain.containerBits : u16(18)
  return {
    ...plain,
    tag: tagOfSubFormat(bytes, bigEndian),
    validBits,
    channelMask: u32(20) === 0 ? undefined : u32(20),
    isExtensible: true,
  }
}

// What follows the format tag in KSDATAFORMAT_SUBTYPE_*.
const SUB_FORMAT_REST = '000000001000800000aa00389b71'
const SUB_FORMAT_REST_BIG_ENDIAN = '00000010800000aa00389b71'

function tagOfSubFormat(bytes: Uint8Array, bigEndian: boolean): number {
  const { u16 } = numbersOf(bytes, bigEndian)
  const guid = Buffer.from(bytes.subarray(24, 40)).toString('hex')
  // In RIFX sox turns the tag alone around, others every number of the identifier.
  if (guid.slice(4) === SUB_FORMAT_REST) return u16(24)
  if (bigEndian && guid.startsWith('0000') && guid.slice(8) === SUB_FORMAT_REST_BIG_ENDIAN) return u16(26)
  throw unsupportedAudio(`a codec with the identifier ${guid}`)
}

function checkRanges({ channels, sampleRate }: Fields): void {
  if (channels === 0) throw malformedHeader('it has 0 channels')
  if (channels > MAX_CHANNELS) {
    throw unsupportedAudio(`${channels} channels (at most ${MAX_CHANNELS} are converted)`)
  }
  if (sampleRate < MIN_SAMPLE_RATE || sampleRate > MAX_SAMPLE_RATE) {
    throw malformedHeader(
      `its sample rate is ${sampleRate} Hz, which is not within ${MIN_SAMPLE_RATE} to ${MAX_SAMPLE_RATE}`,
    )
  }
}

// By the bytes of the container; one byte is unsigned, and knows no byte order.
const integers: Readonly<Record<number, 's16' | 's24' | 's32' | 's64'>> = {
  2: 's16',
  3: 's24',
  4: 's32',
  8: 's64',
}
const floats: Readonly<Record<number, 'f32' | 'f64'>> = { 4: 'f32', 8: 'f64' }

function encodingOf(
  fields: Fields,
  bigEndian: boolean,
): Pick<RawFormat, 'encoding' | 'bytesPerSample'> & { readonly codec: string } {
  const { tag, validBits } = fields
  const name = nameOfFormatTag(tag)
  if (tag === TAG_ALAW || tag === TAG_MULAW) {
    if (validBits !== 8) throw malformedHeader(`${name} of ${validBits} bits does not exist`)
    return { encoding: tag === TAG_ALAW ? 'alaw' : 'mulaw', bytesPerSample: 1, codec: name }
  }
  if (tag !== TAG_PCM && tag !== TAG_FLOAT) throw unsupportedAudio(`${name} audio`)
  const bytesPerSample = containerBytesOf(fields)
  const plainCodec = `${name} ${bitsForPeople(validBits, bytesPerSample)}`
  if (tag === TAG_PCM && bytesPerSample === 1) return { encoding: 'u8', bytesPerSample, codec: plainCodec }
  const codec = bigEndian ? `${plainCodec}, big-endian` : plainCodec
  const stored = (tag === TAG_PCM ? integers : floats)[bytesPerSample]
  if (stored === undefined || (tag === TAG_FLOAT && validBits !== 8 * bytesPerSample)) {
    throw unsupportedAudio(`${codec} audio`)
  }
  return { encoding: `${stored}${bigEndian ? 'be' : 'le'}`, bytesPerSample, codec }
}

/**
 * The container of a sample. A plain header's is the smallest that holds its bits: 24 bits in 4 bytes without the
 * extensible header mean three different things (Cool Edit's floats, ALSA's lower bits, the upper bits), so it is
 * refused rather than turned into noise.
 */
function containerBytesOf({ blockAlign, channels, containerBits, validBits, isExtensible }: Fields): number {
  if (containerBits === 0) throw malformedHeader('its samples have 0 bits')
  if (validBits > containerBits) {
    throw malformedHeader(`${validBits} bits do not fit samples of ${containerBits} bits`)
  }
  const smallest = Math.ceil(containerBits / 8)
  const aligned = blockAlign / Math.max(1, channels)
  return isExtensible && Number.isInteger(aligned) && aligned > smallest ? aligned : smallest
}

function bitsForPeople(validBits: number, bytesPerSample: number): string {
  const container = 8 * bytesPerSample
  return validBits === container ? `${validBits}-bit` : `${validBits}-bit in ${container}`
}
