/** Names of the codecs that a WAV may carry, by its format tag (RFC 2361 and Microsoft's mmreg.h). */

const names: Readonly<Record<number, string>> = {
  1: 'PCM',
  2: 'Microsoft ADPCM',
  3: 'float',
  6: 'A-law',
  7: 'u-law',
  9: 'DTS',
  17: 'IMA ADPCM',
  32: 'Yamaha ADPCM',
  34: 'TrueSpeech',
  48: 'Dolby AC-2',
  49: 'GSM 6.10',
  64: 'G.721 ADPCM',
  66: 'G.723.1',
  69: 'G.726 ADPCM',
  80: 'MPEG audio',
  85: 'MP3',
  100: 'G.726 ADPCM',
  101: 'G.722 ADPCM',
  131: 'G.729',
  146: 'Dolby AC-3 (S/PDIF)',
  255: 'AAC',
  304: 'ACELP',
  352: 'Windows Media Audio 1',
  353: 'Windows Media Audio 2',
  354: 'Windows Media Audio Professional',
  355: 'Windows Media Audio Lossless',
  625: 'ATRAC3',
  655: 'G.722 ADPCM',
  8192: 'AC-3',
  8193: 'DTS',
  20546: 'Opus',
  26447: 'Vorbis',
  61868: 'FLAC',
}

/** A name for people, e.g. `IMA ADPCM`, or `format 0x1234` for a tag that nobody registered. */
export function nameOfFormatTag(tag: number): string {
  return names[tag] ?? `format 0x${tag.toString(16).padStart(4, '0')}`
}
