/** Makes float and 64-bit samples fit for the encoder: LAME aborts on NaN, infinity and huge values, ffmpeg has no raw s64. */

export interface SampleCleaner {
  /** ffmpeg's raw format name of what comes out. */
  readonly encoding: string
  /**
   * Whole cleaned samples; what is left of a sample that is split between two calls comes out with the next.
   * Changes and gives back the caller's own bytes where it can.
   */
  push(bytes: Uint8Array): Uint8Array
}

/**
 * @param encoding ffmpeg's raw format name of what goes in.
 * @returns undefined if the encoder takes all that there can be in this format.
 */
export function createSampleCleaner(encoding: string): SampleCleaner | undefined {
  switch (encoding) {
    case 'f32le':
      return inWholeSamples(encoding, 4, (bytes) => clampFloats(bytes, littleEndianFloat32))
    case 'f32be':
      return inWholeSamples(encoding, 4, (bytes) => clampFloats(bytes, bigEndianFloat32))
    case 'f64le':
      return inWholeSamples(encoding, 8, (bytes) => clampFloats(bytes, littleEndianFloat64))
    case 'f64be':
      return inWholeSamples(encoding, 8, (bytes) => clampFloats(bytes, bigEndianFloat64))
    case 's64le':
      return inWholeSamples('s32le', 8, (bytes) => keepHalves(bytes, 4))
    case 's64be':
      return inWholeSamples('s32be', 8, (bytes) => keepHalves(bytes, 0))
    default:
      return undefined
  }
}

function inWholeSamples(
  encoding: string,
  size: number,
  clean: (bytes: Uint8Array) => Uint8Array,
): SampleCleaner {
  let rest: Uint8Array = new Uint8Array(0)
  return {
    encoding,
    push(bytes) {
      const all = rest.byteLength === 0 ? bytes : Buffer.concat([rest, bytes])
      const whole = all.byteLength - (all.byteLength % size)
      rest = all.subarray(whole)
      return clean(all.subarray(0, whole))
    },
  }
}

/** Where an IEEE 754 number has its two highest bytes, and which bits of the second one belong to the exponent. */
interface FloatLayout {
  readonly size: number
  readonly top: number
  readonly second: number
  readonly secondExponentBits: number
}
const littleEndianFloat32: FloatLayout = { size: 4, top: 3, second: 2, secondExponentBits: 0x80 }
const bigEndianFloat32: FloatLayout = { size: 4, top: 0, second: 1, secondExponentBits: 0x80 }
const littleEndianFloat64: FloatLayout = { size: 8, top: 7, second: 6, secondExponentBits: 0xf0 }
const bigEndianFloat64: FloatLayout = { size: 8, top: 0, second: 1, secondExponentBits: 0xf0 }

/** NaN and infinity (all exponent bits set) become 0; a magnitude of 1 or more (exponent of 1.0 or above) becomes 1. */
function clampFloats(bytes: Uint8Array, { size, top, second, secondExponentBits }: FloatLayout): Uint8Array {
  for (let start = 0; start < bytes.byteLength; start += size) {
    const high = bytes[start + top] ?? 0
    const exponentHigh = high & 0x7f
    if (exponentHigh < 0x3f) continue
    const exponentLow = (bytes[start + second] ?? 0) & secondExponentBits
    if (exponentHigh === 0x3f && exponentLow !== secondExponentBits) continue
    const isNumber = exponentHigh !== 0x7f || exponentLow !== secondExponentBits
    bytes.fill(0, start, start + size)
    if (!isNumber) continue
    bytes[start + top] = (high & 0x80) | 0x3f
    bytes[start + second] = secondExponentBits
  }
  return bytes
}

/** Of every eight bytes the four from `offset` on: the upper half of a 64-bit integer. */
function keepHalves(bytes: Uint8Array, offset: number): Uint8Array {
  const halves = new Uint8Array(bytes.byteLength / 2)
  for (let start = 0; start < bytes.byteLength; start += 8) {
    halves.set(bytes.subarray(start + offset, start + offset + 4), start / 2)
  }
  return halves
}
