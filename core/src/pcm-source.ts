/** What the samples of a WAV are, as a segment needs to know it in order to read and decode them. */

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

export interface PcmSource {
  readonly encoding: PcmEncoding
  /** Hz. */
  readonly sampleRate: number
  readonly channels: number
  /** Bits in use: the upper ones of the container. */
  readonly bitsPerSample: number
  /** Size of the container of one sample of one channel. */
  readonly bytesPerSample: number
  /** Bytes of one sample of all channels. */
  readonly blockAlign: number
  /** Speaker positions as WAVE_FORMAT_EXTENSIBLE names them; undefined where the header names none. */
  readonly channelMask: number | undefined
  /** Where in the file the first sample lies. */
  readonly dataStart: number
}
