/** Writes what stands before the audio of a WAV: the RIFF header, or that of RF64 for sizes beyond 32 bits. */

export interface WavFormat {
  readonly container: 'RIFF' | 'RF64'
  /** 1: integers, 3: floats (RIFF/WAVE's `wFormatTag`). */
  readonly formatTag: 1 | 3
  readonly sampleRate: number
  readonly channels: number
  readonly bytesPerSample: number
}

const DS64_BYTES = 28
/** What RF64 writes where a size does not fit: the size stands in `ds64`. */
const SEE_DS64 = 0xffff_ffff

export function bytesPerSecond({ sampleRate, channels, bytesPerSample }: WavFormat): number {
  return sampleRate * channels * bytesPerSample
}

/** The head of a file with `audioBytes` of audio (RIFF/WAVE; RF64 as EBU Tech 3306 has it). */
export function wavHead(format: WavFormat, audioBytes: number): Buffer {
  const isLong = format.container === 'RF64'
  const ds64 = isLong ? ds64Chunk(format, audioBytes) : Buffer.alloc(0)
  const riff = Buffer.alloc(12)
  const fmt = fmtChunk(format)
  const data = Buffer.alloc(8)
  const fileBytes = riff.length + ds64.length + fmt.length + data.length + audioBytes

  riff.write(format.container, 0, 'latin1')
  riff.writeUInt32LE(isLong ? SEE_DS64 : fileBytes - 8, 4)
  riff.write('WAVE', 8, 'latin1')
  if (isLong) ds64.writeBigUInt64LE(BigInt(fileBytes - 8), 8)
  data.write('data', 0, 'latin1')
  data.writeUInt32LE(isLong ? SEE_DS64 : audioBytes, 4)
  return Buffer.concat([riff, ds64, fmt, data])
}

/** All of it but the size of the file, which the whole head decides. */
function ds64Chunk(format: WavFormat, audioBytes: number): Buffer {
  const chunk = Buffer.alloc(8 + DS64_BYTES)
  chunk.write('ds64', 0, 'latin1')
  chunk.writeUInt32LE(DS64_BYTES, 4)
  chunk.writeBigUInt64LE(BigInt(audioBytes), 16)
  chunk.writeBigUInt64LE(BigInt(audioBytes / (format.channels * format.bytesPerSample)), 24)
  return chunk
}

function fmtChunk(format: WavFormat): Buffer {
  const chunk = Buffer.alloc(24)
  chunk.write('fmt ', 0, 'latin1')
  chunk.writeUInt32LE(16, 4)
  chunk.writeUInt16LE(format.formatTag, 8)
  chunk.writeUInt16LE(format.channels, 10)
  chunk.writeUInt32LE(format.sampleRate, 12)
  chunk.writeUInt32LE(bytesPerSecond(format), 16)
  chunk.writeUInt16LE(format.channels * format.bytesPerSample, 20)
  chunk.writeUInt16LE(format.bytesPerSample * 8, 22)
  return chunk
}
