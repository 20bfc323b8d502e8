/** Writes the content of a `fmt ` chunk, field by field, so that each may be made to lie. */

export interface WavFormat {
  /** 0xfffe for WAVE_FORMAT_EXTENSIBLE, which alone has the last three. */
  readonly tag: number
  readonly channels: number
  readonly sampleRate: number
  readonly byteRate: number
  readonly blockAlign: number
  readonly bitsPerSample: number
  readonly validBits: number
  readonly channelMask: number
  /** The format tag inside the sub-format. */
  readonly subTag: number
}

/** All 40 bytes; a plain header has only the first 16 of them. */
export function writeFormat(format: WavFormat, big: boolean): Buffer {
  const bytes = Buffer.alloc(40)
  const u16 = (value: number, at: number) =>
    big ? bytes.writeUInt16BE(value, at) : bytes.writeUInt16LE(value, at)
  const u32 = (value: number, at: number) =>
    big ? bytes.writeUInt32BE(value, at) : bytes.writeUInt32LE(value, at)
  u16(format.tag, 0)
  u16(format.channels, 2)
  u32(format.sampleRate, 4)
  u32(format.byteRate, 8)
  u16(format.blockAlign, 12)
  u16(format.bitsPerSample, 14)
  if (format.tag !== 0xfffe) return bytes
  u16(22, 16)
  u16(format.validBits, 18)
  u32(format.channelMask, 20)
  u32(format.subTag, 24)
  u16(0x0000, 28)
  u16(0x0010, 30)
  bytes.write('800000aa00389b71', 32, 'hex')
  return bytes
}
