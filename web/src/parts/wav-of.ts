/** Writes the head of a WAV before its samples (RIFF/WAVE, Multimedia Programming Interface 1.0, chapter 2). */

const HEAD_BYTES = 44
const BYTES_OF_A_SAMPLE = 2

/** @param pieces interleaved little-endian 16-bit samples. */
export function wavOf(
  pieces: readonly Blob[],
  { sampleRate, channels }: { readonly sampleRate: number; readonly channels: number },
): Blob {
  const dataBytes = pieces.reduce((sum, { size }) => sum + size, 0)
  const head = new DataView(new ArrayBuffer(HEAD_BYTES))
  const writeId = (at: number, id: string) => {
    for (const [index, letter] of [...id].entries()) head.setUint8(at + index, letter.charCodeAt(0))
  }
  const frameBytes = channels * BYTES_OF_A_SAMPLE
  writeId(0, 'RIFF')
  head.setUint32(4, HEAD_BYTES - 8 + dataBytes, true)
  writeId(8, 'WAVEfmt ')
  head.setUint32(16, 16, true)
  head.setUint16(20, 1, true) // PCM
  head.setUint16(22, channels, true)
  head.setUint32(24, sampleRate, true)
  head.setUint32(28, sampleRate * frameBytes, true)
  head.setUint16(32, frameBytes, true)
  head.setUint16(34, BYTES_OF_A_SAMPLE * 8, true)
  writeId(36, 'data')
  head.setUint32(40, dataBytes, true)
  return new Blob([head.buffer, ...pieces], { type: 'audio/wav' })
}
