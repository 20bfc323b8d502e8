/** Makes a recording's waveform: for each pixel the lowest and the highest sample, in the 8 bits that a picture needs. */
import type { PcmEncoding, RawFormat } from './pcm-source.ts'

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
  const top = readerOfTop(format.encoding)
  const valuesPerPixel = samplesPerPixel * format.channels
  const peaks: number[] = []
  let rest = new Uint8Array(0)
  let lowest = 127
  let highest = -128
  let seen = 0

  function finishPixel(): void {
    peaks.push(lowest, highest)
    lowest = 127
    highest = -128
    seen = 0
  }

  return {
    push(bytes) {
      const all = rest.byteLength === 0 ? bytes : Buffer.concat([rest, bytes])
      const whole = all.byteLength - (all.byteLength % bytesPerSample)
      const view = new DataView(all.buffer, all.byteOffset, whole)
      for (let at = 0; at < whole; ) {
        const end = Math.min(whole, at + (valuesPerPixel - seen) * bytesPerSample)
        seen += (end - at) / bytesPerSample
        for (; at < end; at += bytesPerSample) {
          const value = top(view, at)
          if (value < lowest) lowest = value
          if (value > highest) highest = value
        }
        if (seen === valuesPerPixel) finishPixel()
      }
      rest = Uint8Array.from(all.subarray(whole)) // the caller may use its bytes again
    },
    end() {
      if (seen > 0) finishPixel()
      return Uint8Array.from(peaks)
    },
  }
}

/** A sample's upper 8 bits, which are all that is seen. */
type ReadTop = (view: DataView, at: number) => number

function readerOfTop(encoding: PcmEncoding): ReadTop {
  switch (encoding) {
    case 'u8':
      return (view, at) => view.getUint8(at) - 128
    case 'alaw':
      return (view, at) => aLawTops[view.getUint8(at)] ?? 0
    case 'mulaw':
      return (view, at) => muLawTops[view.getUint8(at)] ?? 0
    case 'f32le':
      return (view, at) => topOfFloat(view.getFloat32(at, true))
    case 'f32be':
      return (view, at) => topOfFloat(view.getFloat32(at))
    case 'f64le':
      return (view, at) => topOfFloat(view.getFloat64(at, true))
    case 'f64be':
      return (view, at) => topOfFloat(view.getFloat64(at))
    case 's16be':
    case 's24be':
    case 's32be':
    case 's64be':
      return (view, at) => view.getInt8(at)
    case 's16le':
      return (view, at) => view.getInt8(at + 1)
    case 's24le':
      return (view, at) => view.getInt8(at + 2)
    case 's32le':
      return (view, at) => view.getInt8(at + 3)
    case 's64le':
      return (view, at) => view.getInt8(at + 7)
  }
}

/** What is no number is silence, and what is too loud is clipped: as it is encoded. */
function topOfFloat(value: number): number {
  if (Number.isFinite(value)) return Math.max(-128, Math.min(127, Math.floor(value * 128)))
  return 0
}

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
