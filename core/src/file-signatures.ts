/** Says what a file that is no WAV seems to be, for the sentence that refuses it. */

const signatures: readonly (readonly [hex: string, name: string])[] = [
  ['494433', 'an MP3'],
  ['fffb', 'an MP3'],
  ['fffa', 'an MP3'],
  ['fff3', 'an MP3'],
  ['fff2', 'an MP3'],
  ['ffe3', 'an MP3'],
  ['fff1', 'an AAC stream'],
  ['fff9', 'an AAC stream'],
  ['4f676753', 'an Ogg file'],
  ['664c6143', 'a FLAC file'],
  ['464f524d', 'an AIFF file'],
  ['63616666', 'a CAF file'],
  ['72696666', 'a Wave64 file'],
  ['2e736e64', 'an AU file'],
  ['1a45dfa3', 'a Matroska or WebM file'],
  ['3026b275', 'a Windows Media file'],
  ['89504e47', 'a PNG image'],
  ['ffd8ff', 'a JPEG image'],
  ['25504446', 'a PDF'],
  ['504b0304', 'a ZIP archive'],
  ['234558544d3355', 'a playlist'],
  ['5b706c61796c697374', 'a playlist'],
]

/**
 * @param start the first 12 bytes, or fewer where the file has no more.
 * @returns a noun with its article, or undefined if the bytes tell nothing.
 */
export function recognizeFile(start: Uint8Array): string | undefined {
  const bytes = Buffer.from(start)
  if (bytes.toString('latin1', 4, 8) === 'ftyp') return 'an MP4 file'
  const hex = bytes.toString('hex')
  const known = signatures.find(([signature]) => hex.startsWith(signature))
  if (known !== undefined) return known[1]
  const isText = bytes.length > 0 && bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || isLineSpace(byte))
  return isText ? 'a text' : undefined
}

function isLineSpace(byte: number): boolean {
  return byte === 0x09 || byte === 0x0a || byte === 0x0d
}
