/** What an upload may ask of its MP3: quality or bitrate, channels, sample rate; read from form fields and from the record. */
import { bitratesOf, MP3_RATES, versionOfRate } from './mp3-format.ts'
import { mp3TargetOf } from './mp3-target.ts'
import type { PcmSource } from './pcm-source.ts'

/** As it is stored, under `encode`, in the record's options; what is missing has its default. */
export interface EncodeOptions {
  /** VBR: 0 (best) to 9; never together with `bitrate`. */
  readonly quality?: number
  /** CBR: kbit/s. */
  readonly bitrate?: number
  readonly channels?: 1 | 2
  /** Hz, one of those that MP3 knows. */
  readonly sampleRate?: number
}

/** How the encoder spends its bits: as many as a quality needs (VBR), or always the same (CBR). */
export type RateControl =
  | { readonly kind: 'vbr'; readonly quality: number }
  | { readonly kind: 'cbr'; readonly bitrateKbps: number }

/** An option that cannot be; the message is a sentence for the client and names what is allowed. */
export class OptionError extends Error {
  /** The form field. */
  readonly field: string
  /** Every value that it may have; empty where it may not be given at all. */
  readonly allowed: readonly string[]
  constructor(field: string, message: string, allowed: readonly string[] = []) {
    super(message)
    this.name = 'OptionError'
    this.field = field
    this.allowed = allowed
  }
}

const DEFAULT_QUALITY = 2
// LAME lowers anything above this in MPEG-2.5 without a word, though its frames could hold more.
const HIGHEST_BITRATE_OF_MPEG25 = 64

const qualities = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const
const channelCounts = [1, 2] as const
const allBitrates = [...new Set([...bitratesOf(2), ...bitratesOf(1)])].sort((a, b) => a - b)

/** The form fields that are read here. */
export const ENCODE_FIELDS = ['quality', 'bitrate', 'channels', 'sampleRate'] as const

/**
 * Reads the options out of an upload's form fields; others are not looked at.
 *
 * @throws OptionError for a value that no recording could have. Some bitrates depend on the recording: see {@link checkBitrate}.
 */
export function parseEncodeOptions(fields: ReadonlyMap<string, string>): EncodeOptions {
  const quality = numberOf(fields, 'quality', qualities)
  const bitrate = numberOf(fields, 'bitrate', allBitrates, ' kbit/s')
  const channels = numberOf(fields, 'channels', channelCounts)
  const sampleRate = numberOf(fields, 'sampleRate', MP3_RATES, ' Hz')
  if (quality !== undefined && bitrate !== undefined) {
    throw new OptionError('bitrate', '"bitrate" and "quality" exclude each other: give one of them.')
  }
  if (bitrate !== undefined && sampleRate !== undefined) checkBitrateAt(bitrate, sampleRate)
  return {
    ...(quality !== undefined && { quality }),
    ...(bitrate !== undefined && { bitrate }),
    ...(channels !== undefined && { channels }),
    ...(sampleRate !== undefined && { sampleRate }),
  }
}

/**
 * A bitrate is never lowered in silence: what the rate of the MP3 does not know is refused.
 *
 * @throws OptionError naming the bitrates of that rate.
 */
export function checkBitrate(options: EncodeOptions, source: PcmSource): void {
  if (options.bitrate === undefined) return
  checkBitrateAt(options.bitrate, mp3TargetOf(source, options).sampleRate)
}

function checkBitrateAt(bitrate: number, sampleRate: number): void {
  numberOf(
    new Map([['bitrate', String(bitrate)]]),
    'bitrate',
    bitratesOfRate(sampleRate),
    ` kbit/s at ${sampleRate} Hz`,
  )
}

/** Constant bitrates in kbit/s that the encoder gives at a rate, ascending. */
export function bitratesOfRate(sampleRate: number): readonly number[] {
  const version = versionOfRate(sampleRate)
  const bitrates = bitratesOf(version)
  return version === 2.5 ? bitrates.filter((bitrate) => bitrate <= HIGHEST_BITRATE_OF_MPEG25) : bitrates
}

/**
 * Reads the options back out of a record, where they stand under `encode`; nothing there means defaults.
 *
 * @param recordOptions what the database holds, which may be anything.
 * @throws OptionError if this version could not have written it.
 */
export function storedEncodeOptions(recordOptions: unknown): EncodeOptions {
  const stored = isObject(recordOptions) ? (recordOptions.encode ?? {}) : {}
  if (!isObject(stored)) throw new OptionError('encode', 'The stored options are no object.')
  return parseEncodeOptions(new Map(Object.entries(stored).map(([field, value]) => [field, String(value)])))
}

export function rateControlOf({ quality = DEFAULT_QUALITY, bitrate }: EncodeOptions): RateControl {
  return bitrate === undefined ? { kind: 'vbr', quality } : { kind: 'cbr', bitrateKbps: bitrate }
}

function numberOf<T extends number>(
  fields: ReadonlyMap<string, string>,
  field: string,
  allowed: readonly T[],
  unit = '',
): T | undefined {
  const text = fields.get(field)
  if (text === undefined) return undefined
  const value = allowed.find((candidate) => String(candidate) === text.trim())
  if (value !== undefined) return value
  const given = JSON.stringify(text.slice(0, 40))
  throw new OptionError(
    field,
    `"${field}" must be one of ${allowed.join(', ')}${unit}, not ${given}.`,
    allowed.map(String),
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
