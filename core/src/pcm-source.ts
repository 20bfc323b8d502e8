/** What the audio of a WAV is, as a segment needs to know it in order to read and decode it. */
import type { PackedEncoding } from './packed-formats.ts'

/**
 * How one sample is stored, by ffmpeg's names of raw formats; `be` comes from RIFX.
 * ffmpeg has no raw demuxer for 64-bit integers: they are narrowed before they reach it.
 */
export type PcmEncoding =
  | 'u8'
  | 's16le'
  | 's16be'
  | 's24le'
  | 's24be'
  | 's32le'
  | 's32be'
  | 's64le'
  | 's64be'
  | 'f32le'
  | 'f32be'
  | 'f64le'
  | 'f64be'
  | 'alaw'
  | 'mulaw'

interface Format {
  /** Hz. */
  readonly sampleRate: number
  readonly channels: number
  /** Bits in use: the upper ones of the container. */
  readonly bitsPerSample: number
  /** Bytes of one block: of one sample of all channels, or of so many as a packed block holds. */
  readonly blockAlign: number
  /** Speaker positions as WAVE_FORMAT_EXTENSIBLE names them; undefined where the header names none. */
  readonly channelMask: number | undefined
}

/** Samples one after the other: any part of them can be read by itself. */
export interface RawFormat extends Format {
  readonly encoding: PcmEncoding
  /** Size of the container of one sample of one channel. */
  readonly bytesPerSample: number
}

/** Samples packed into blocks, which only ffmpeg can open. */
export interface PackedFormat extends Format {
  readonly encoding: PackedEncoding
  readonly samplesPerBlock: number
}

export type AudioFormat = RawFormat | PackedFormat

export type PcmSource = AudioFormat & {
  /** Where in the file the first block lies. */
  readonly dataStart: number
}

export function isPacked<Source extends AudioFormat>(source: Source): source is Source & PackedFormat {
  return 'samplesPerBlock' in source
}

/** Of one channel. */
export function samplesPerBlockOf(format: AudioFormat): number {
  return isPacked(format) ? format.samplesPerBlock : 1
}
