/** Makes a recording's waveform: for each pixel the lowest and the highest sample, in the 8 bits that a picture needs. */
import type { RawFormat } from './pcm-source.ts'

/** More than any screen has pixels in a row. */
const MOST_PIXELS = 4_000

/** Of one recording; pixels follow each other without a gap, and only the last one may have fewer samples. */
export interface PeaksPlan {
  readonly samplesPerPixel: number
  readonly pixels: number
}

/** @param samples of one channel, at least 1. */
export function planPeaks(samples: number): PeaksPlan {
  const samplesPerPixel = Math.ceil(samples / MOST_PIXELS)
  return { samplesPerPixel, pixels: Math.ceil(samples / samplesPerPixel) }
}

/**
 * The pixels that begin among the samples [start, end): so each pixel belongs to one segment, however a recording is
 * divided, and a segment reads beyond its end to finish its last one.
 */
export function pixelsWithin(
  { samplesPerPixel }: PeaksPlan,
  start: number,
  end: number,
): { readonly first: number; readonly end: number } {
  return { first: Math.ceil(start / samplesPerPixel), end: Math.ceil(end / samplesPerPixel) }
}

export interface PeaksReader {
  /** Samples in any pieces, also parts of one. */
  push(bytes: Uint8Array): void
  /** @returns the lowest and the highest sample of each pixel, -128..127, as signed bytes one after the other. */
  end(): Uint8Array
}

/**
 * Reads samples of all channels, which begin with those of a pixel. A pixel covers every channel: what is loud in one
 * of them is seen.
 *
 * @param format of the samples.
 */
export function createPeaksReader(format: RawFormat, samplesPerPixel: number): PeaksReader {
  const { bytesPerSample } = format
  const widen = widenerFor(format)
  const bytesPerPixel = samplesPerPixel * format.channels * bytesPerSample
  const peaks: number[] = []
  let rest = new Uint8Array(0)
  let pixel = newRange()
  let missing = bytesPerPixel

  function finishPixel(): void {
    peaks.push(pixel.lowest, pixel.highest)
    pixel = newRange()
    missing = bytesPerPixel
  }

  return {
    push(bytes) {
      const all = rest.byteLength === 0 ? bytes : Buffer.concat([rest, bytes])
      const whole = all.byteLength - (all.byteLength % bytesPerSample)
      for (let at = 0; at < whole; ) {
        const end = Math.min(whole, at + missing)
        widen(pixel, all.subarray(at, end))
        missing -= end - at
        at = end
        if (missing === 0) finishPixel()
      }
      rest = Uint8Array.from(all.subarray(whole)) // the caller may use its bytes again
    },
    end() {
      if (missing < bytesPerPixel) finishPixel()
      return Uint8Array.from(peaks)
    },
  }
}

/** Of the upper 8 bits of samples, which are all that is seen of them. */
interface Range {
  lowest: number
  highest: number
}

const newRange = (): Range => ({ lowest: 127, highest: -128 })

/** Widens a range by whole samples. */
type Widen = (range: Range, bytes: Uint8Array) => void

function widenerFor({ encoding, bytesPerSample }: RawFormat): Widen {
  switch (encoding) {
    case 'u8':
      return byTable(unsignedTops)
    case 'alaw':
      return byTable(aLawTops)
    case 'mulaw':
      return byTable(muLawTops)
    case 'f32le':
      return byFloats(4, (view, at) => view.getFloat32(at, true))
    case 'f32be':
      return byFloats(4, (view, at) => view.getFloat32(at))
    case 'f64le':
      return byFloats(8, (view, at) => view.getFloat64(at, true))
    case 'f64be':
      return byFloats(8, (view, at) => view.getFloat64(at))
    case 's16be':
    case 's24be':
    case 's32be':
    case 's64be':
      return byTopByte(bytesPerSample, 0)
    case 's16le':
    case 's24le':
    case 's32le':
    case 's64le':
      return byTopByte(bytesPerSample, bytesPerSample - 1)
  }
}

/** @param offset of the byte with the sign, within a sample. */
function byTopByte(bytesPerSample: number, offset: number): Widen {
  return (range, { buffer, byteOffset, byteLength }) => {
    const tops = new Int8Array(buffer, byteOffset, byteLength)
    let { lowest, highest } = range
    for (let at = offset; at < byteLength; at += bytesPerSample) {
      const top = tops[at] ?? 0
      if (top < lowest) lowest = top
      if (top > highest) highest = top
    }
    range.lowest = lowest
    range.highest = highest
  }
}

function byTable(tops: Int8Array): Widen {
  return (range, bytes) => {
    for (const code of bytes) include(range, tops[code] ?? 0)
  }
}

function byFloats(size: number, read: (view: DataView, at: number) => number): Widen {
  return (range, { buffer, byteOffset, byteLength }) => {
    const view = new DataView(buffer, byteOffset, byteLength)
    for (let at = 0; at < byteLength; at += size) include(range, topOfFloat(read(view, at)))
  }
}

function include(range: Range, top: number): void {
  if (top < range.lowest) range.lowest = top
  if (top > range.highest) range.highest = top
}

/** What is no number is silence, and what is too loud is clipped: as it is encoded. */
function topOfFloat(value: number): number {
  if (Number.isFinite(value)) return Math.max(-128, Math.min(127, Math.floor(value * 128)))
  return 0
}

const unsignedTops = Int8Array.from({ length: 256 }, (_, code) => code - 128)

/** ITU-T G.711, as 13-bit (A-law) and 14-bit (u-law) magnitudes scaled to 16 bits, of which the upper 8 are kept. */
const aLawTops = Int8Array.from({ length: 256 }, (_, code) => {
  const bits = code ^ 0x55
  const exponent = (bits & 0x70) >> 4
  const mantissa = ((bits & 0x0f) << 4) + 8
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)
  return ((bits & 0x80) === 0 ? -magnitude : magnitude) >> 8
})

const MU_LAW_BIAS = 0x84
const muLawTops = Int8Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 0xff
  const magnitude = ((((bits & 0x0f) << 3) + MU_LAW_BIAS) << ((bits & 0x70) >> 4)) - MU_LAW_BIAS
  return ((bits & 0x80) === 0 ? magnitude : -magnitude) >> 8
})
