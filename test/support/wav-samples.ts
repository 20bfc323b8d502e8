/** Writes sample values in each encoding that a WAV knows, from the specifications (Microsoft RIFF, ITU-T G.711). */

/** Named as ffmpeg's raw formats, without the byte order, which the container decides. */
export type WavEncoding = 'u8' | 's16' | 's24' | 's32' | 's64' | 'f32' | 'f64' | 'alaw' | 'mulaw'

export interface SampleWriter {
  readonly bytes: number
  /** Writes `value` (-1..1, clipped in integers) at `offset`; integers keep their upper `validBits` only. */
  write(target: Buffer, offset: number, value: number, bigEndian: boolean, validBits: number): void
}

export const sampleWriters: Readonly<Record<WavEncoding, SampleWriter>> = {
  u8: {
    bytes: 1,
    write: (target, offset, value, _big, valid) =>
      target.writeUInt8(integer(value, 8, Math.min(valid, 8)) + 128, offset),
  },
  s16: integers(2),
  s24: integers(3),
  s32: integers(4),
  s64: {
    bytes: 8,
    write(target, offset, value, big, valid) {
      const upper = BigInt(integer(value, 32, Math.min(valid, 32))) << 32n
      if (big) target.writeBigInt64BE(upper, offset)
      else target.writeBigInt64LE(upper, offset)
    },
  },
  f32: {
    bytes: 4,
    write: (target, offset, value, big) =>
      big ? target.writeFloatBE(value, offset) : target.writeFloatLE(value, offset),
  },
  f64: {
    bytes: 8,
    write: (target, offset, value, big) =>
      big ? target.writeDoubleBE(value, offset) : target.writeDoubleLE(value, offset),
  },
  alaw: { bytes: 1, write: (target, offset, value) => target.writeUInt8(alaw(value), offset) },
  mulaw: { bytes: 1, write: (target, offset, value) => target.writeUInt8(mulaw(value), offset) },
}

function integers(bytes: number): SampleWriter {
  return {
    bytes,
    write(target, offset, value, big, valid) {
      const whole = integer(value, 8 * bytes, Math.min(valid, 8 * bytes))
      if (big) target.writeIntBE(whole, offset, bytes)
      else target.writeIntLE(whole, offset, bytes)
    },
  }
}

/** The valid bits are the upper bits of the container; the rest is zero. */
function integer(value: number, containerBits: number, validBits: number): number {
  const top = 2 ** (validBits - 1)
  return Math.max(-top, Math.min(top - 1, Math.round(value * top))) * 2 ** (containerBits - validBits)
}

/** G.711 A-law: 13 bits, even bits inverted. */
function alaw(value: number): number {
  const linear = integer(value, 13, 13)
  const sign = linear >= 0 ? 0x80 : 0
  const magnitude = linear >= 0 ? linear : -linear - 1
  const exponent = Math.max(0, 31 - Math.clz32(magnitude) - 4)
  const mantissa = exponent === 0 ? magnitude >> 1 : magnitude >> exponent
  return (sign | (exponent << 4) | (mantissa & 0x0f)) ^ 0x55
}

/** G.711 u-law: 14 bits with a bias of 33, all bits inverted. */
function mulaw(value: number): number {
  const linear = integer(value, 14, 14)
  const sign = linear < 0 ? 0x80 : 0
  const magnitude = Math.min(Math.abs(linear) + 33, 0x1fff)
  const exponent = 31 - Math.clz32(magnitude) - 5
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 1)) & 0x0f)) & 0xff
}
