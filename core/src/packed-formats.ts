/** The codecs that pack samples into blocks, as far as ffmpeg decodes them: how they are told, and how they are handed to it. */
import type { PackedFormat } from './pcm-source.ts'
import { malformedHeader, unsupportedAudio } from './wav-error.ts'

/** By ffmpeg's names of the decoders. The list is closed: no other decoder of ffmpeg ever meets a stranger's bytes. */
export type PackedEncoding =
  | 'adpcm_ms'
  | 'adpcm_ima_wav'
  | 'adpcm_yamaha'
  | 'adpcm_g726'
  | 'adpcm_g722'
  | 'gsm_ms'

interface PackedCodec {
  readonly encoding: PackedEncoding
  /** The format tag in `fmt `. */
  readonly tag: number
  readonly maxChannels: number
  /** Bits of a packed sample; GSM has none, and unpacks to 13. */
  readonly bits: readonly number[]
  /** Of one channel, as ffmpeg's decoder counts them; the header's own number is not needed. */
  samplesPerBlock(block: { blockAlign: number; channels: number; bits: number }): number
}

const codecs: readonly PackedCodec[] = [
  {
    ...{ encoding: 'adpcm_ms', tag: 0x0002, maxChannels: 2, bits: [4] },
    // Each channel has 7 bytes in front, with two whole samples among them.
    samplesPerBlock: ({ blockAlign, channels }) => 2 + (2 * (blockAlign - 7 * channels)) / channels,
  },
  {
    ...{ encoding: 'adpcm_ima_wav', tag: 0x0011, maxChannels: 2, bits: [4] },
    // Each channel has 4 bytes in front, with one whole sample among them; then 4 bytes of each in turn.
    samplesPerBlock: ({ blockAlign, channels }) =>
      1 + 8 * Math.floor((blockAlign - 4 * channels) / (4 * channels)),
  },
  {
    ...{ encoding: 'adpcm_yamaha', tag: 0x0020, maxChannels: 2, bits: [4] },
    samplesPerBlock: ({ blockAlign, channels }) => (2 * blockAlign) / channels,
  },
  {
    ...{ encoding: 'gsm_ms', tag: 0x0031, maxChannels: 1, bits: [0] },
    samplesPerBlock: ({ blockAlign }) => (blockAlign === 65 ? 320 : 0),
  },
  {
    ...{ encoding: 'adpcm_g726', tag: 0x0045, maxChannels: 1, bits: [2, 4] },
    samplesPerBlock: ({ blockAlign, bits }) => (8 * blockAlign) / bits,
  },
  {
    ...{ encoding: 'adpcm_g722', tag: 0x028f, maxChannels: 1, bits: [4] },
    samplesPerBlock: ({ blockAlign }) => 2 * blockAlign,
  },
]
const GSM_BITS = 13

export interface PackedFields {
  readonly tag: number
  readonly channels: number
  readonly sampleRate: number
  readonly blockAlign: number
  readonly containerBits: number
}

/**
 * @returns undefined if the format tag is none of these.
 * @throws WavError if there cannot be such blocks, or nobody here can decode them.
 */
export function parsePackedFormat(fields: PackedFields, name: string): PackedFormat | undefined {
  const { channels, blockAlign, sampleRate, containerBits } = fields
  const codec = codecs.find(({ tag }) => tag === fields.tag)
  if (codec === undefined) return undefined
  if (channels > codec.maxChannels) throw unsupportedAudio(`${name} audio of ${channels} channels`)
  if (!codec.bits.includes(containerBits)) throw unsupportedAudio(`${name} audio of ${containerBits} bits`)
  const samplesPerBlock = codec.samplesPerBlock({ blockAlign, channels, bits: containerBits })
  if (samplesPerBlock < 2) {
    throw malformedHeader(`a block of ${blockAlign} bytes cannot hold ${name} of ${channels} channels`)
  }
  return {
    encoding: codec.encoding,
    sampleRate,
    channels,
    bitsPerSample: containerBits === 0 ? GSM_BITS : containerBits,
    blockAlign,
    channelMask: undefined,
    samplesPerBlock,
  }
}

const OPEN_SIZE = 0xffff_ffff

/** The shortest WAV header that ffmpeg needs before the blocks: nothing else of the file reaches its demuxer. */
export function headForPacked(format: PackedFormat): Buffer {
  const { encoding, channels, sampleRate, blockAlign, bitsPerSample, samplesPerBlock } = format
  const tag = codecs.find((codec) => codec.encoding === encoding)?.tag ?? 0
  const head = Buffer.alloc(48)
  head.write('RIFF', 0, 'latin1')
  head.writeUInt32LE(OPEN_SIZE, 4)
  head.write('WAVEfmt ', 8, 'latin1')
  head.writeUInt32LE(20, 16)
  head.writeUInt16LE(tag, 20)
  head.writeUInt16LE(channels, 22)
  head.writeUInt32LE(sampleRate, 24)
  head.writeUInt32LE(Math.round((sampleRate * blockAlign) / samplesPerBlock), 28)
  head.writeUInt16LE(blockAlign, 32)
  head.writeUInt16LE(bitsPerSample, 34)
  head.writeUInt16LE(2, 36)
  head.writeUInt16LE(Math.min(samplesPerBlock, 0xffff), 38)
  head.write('data', 40, 'latin1')
  head.writeUInt32LE(OPEN_SIZE, 44)
  return head
}
