/** What the header reader refuses: other files, codecs that nobody decodes, headers that lie or are cut. */
import { describe, expect, test } from 'vitest'
import { buildWav, type WavSpec, wavHead } from '../../test/support/wav.ts'
import { createWavHeaderReader } from '../src/wav-header.ts'
import { refusalOf } from './support/read-header.ts'

test.each([
  ['an empty file', '', 'The file is empty.'],
  ['an MP3 with a tag', 'ID3\x03\0\0\0\0\0\x21TIT2', 'The file is not a WAV but an MP3.'],
  ['an MP3 without', '\xff\xfb\x90\x44\0\0\0\0\0\0\0\0\0', 'The file is not a WAV but an MP3.'],
  ['a PNG', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'The file is not a WAV but a PNG image.'],
  ['a text', 'Dear Sir or Madam,\n', 'The file is not a WAV but a text.'],
  ['a playlist', '#EXTM3U\nhttp://127.0.0.1/a.ts\n', 'The file is not a WAV but a playlist.'],
  ['an AIFF', 'FORM\0\0\x10\0AIFF', 'The file is not a WAV but an AIFF file.'],
  ['a FLAC', 'fLaC\0\0\0\x22\x10\0\x10\0', 'The file is not a WAV but a FLAC file.'],
  ['an MP4', '\0\0\0\x20ftypM4A ', 'The file is not a WAV but an MP4 file.'],
  ['bytes that tell nothing', '\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b', 'The file is not a WAV.'],
  ['a RIFF that is no WAVE', 'RIFF\x24\0\0\0AVI LIST', 'The file is a RIFF of type "AVI ", not a WAV.'],
  ['a RIFF of no type', 'RIFF\x24\0\0\0\0\x01\x02\x03', 'The file is a RIFF of an unknown type, not a WAV.'],
])('%s is no WAV, and the sentence says so', (_what, content, message) => {
  expect(refusalOf(Buffer.from(content, 'latin1'))).toMatchObject({ code: 'not-wav', message })
})

test('a file of fewer than 12 bytes is no WAV, a longer one is cut within its header', () => {
  const wav = buildWav({ before: [{ id: 'LIST', data: Buffer.alloc(10) }] })
  const end = wav.indexOf('data') + 8
  for (let length = 0; length < end; length += 1) {
    const code = length < 12 ? 'not-wav' : 'cut-header'
    expect(refusalOf(wav.subarray(0, length), 5), `${length} bytes`).toMatchObject({ code })
  }
})

test('what is no WAV is refused with its twelfth byte', () => {
  const reader = createWavHeaderReader()
  expect(reader.push(Buffer.from('#EXTM3U\nhtt'))).toBeUndefined()
  expect(() => reader.push(Buffer.from('p'))).toThrow('a playlist')
  expect(() => reader.push(Buffer.from('://127.0.0.1/'))).toThrow('a playlist')
  expect(() => reader.end()).toThrow('a playlist')
})

test.each([
  [34, 'TrueSpeech'],
  [80, 'MPEG audio'],
  [85, 'MP3'],
  [255, 'AAC'],
  [0x1234, 'format 0x1234'],
])('format tag %d is refused by its name, %s, plain and extensible', (tag, name) => {
  const expected = {
    code: 'unsupported-codec',
    message: `The WAV holds ${name} audio, which cannot be converted.`,
  }
  expect(refusalOf(buildWav({ format: { tag } }))).toMatchObject(expected)
  expect(refusalOf(buildWav({ extensible: true, format: { subTag: tag } }))).toMatchObject(expected)
})

test('a sub-format of another family is refused', () => {
  const wav = buildWav({ extensible: true })
  wav.write('deadbeef', wav.indexOf('fmt ') + 8 + 34, 'hex')
  expect(refusalOf(wav)).toMatchObject({ code: 'unsupported-codec' })
})

describe('a header that lies', () => {
  const lies: [string, WavSpec, string, string][] = [
    ['block align 0', { format: { blockAlign: 0 } }, 'malformed', 'a block of 0 bytes'],
    ['a wrong block align', { format: { blockAlign: 3 } }, 'malformed', 'a block of 3 bytes'],
    ['a huge block align', { format: { blockAlign: 65_535 } }, 'malformed', 'a block of 65535 bytes'],
    ['no channels', { format: { channels: 0 } }, 'malformed', '0 channels'],
    ['9 channels', { channels: 9 }, 'unsupported-codec', '9 channels (at most 8'],
    ['65,535 channels', { format: { channels: 65_535 } }, 'unsupported-codec', '65535 channels'],
    ['rate 0', { format: { sampleRate: 0 } }, 'malformed', '0 Hz'],
    ['rate 1', { format: { sampleRate: 1 } }, 'malformed', '1 Hz'],
    ['rate 4,294,967,295', { format: { sampleRate: 0xffff_ffff } }, 'malformed', '4294967295 Hz'],
    ['0 bits', { format: { bitsPerSample: 0 } }, 'malformed', '0 bits'],
    ['65,535 bits', { format: { bitsPerSample: 65_535 } }, 'unsupported-codec', 'PCM 65535-bit'],
    ['half floats', { format: { tag: 3 } }, 'unsupported-codec', 'float 16-bit'],
    ['A-law of 16 bits', { format: { tag: 6 } }, 'malformed', 'A-law of 16 bits'],
    ['more valid bits than bits', { extensible: true, format: { validBits: 17 } }, 'malformed', '17 bits'],
    ['a short format', { fmtBytes: 14 }, 'malformed', 'only 14 bytes'],
    ['a short extensible format', { extensible: true, fmtBytes: 24 }, 'malformed', 'only 24 bytes'],
  ]
  test.each(lies)('with %s is refused, and the sentence says why', (_lie, spec, code, part) => {
    expect(refusalOf(buildWav(spec))).toMatchObject({ code, message: expect.stringContaining(part) })
  })

  test('24 bits in 4 bytes without the extensible header are refused, for writers do not agree on them', () => {
    const wav = buildWav({ encoding: 's32', format: { bitsPerSample: 24 } })
    expect(refusalOf(wav)).toMatchObject({ code: 'malformed' })
  })

  test('with a chunk that claims gigabytes is refused at once', () => {
    for (const declaredBytes of [0x7fff_ffff, 0xffff_fffe, 0xffff_ffff]) {
      const wav = buildWav({ before: [{ id: 'LIST', data: Buffer.alloc(8), declaredBytes }] })
      expect(refusalOf(wav)).toMatchObject({ code: 'malformed', message: expect.stringContaining('"LIST"') })
    }
  })

  test('with a ds64 that claims more bytes than can be counted is refused', () => {
    const wav = wavHead({ container: 'RF64', declared: { dataBytes: 2 ** 60 } })
    expect(refusalOf(wav)).toMatchObject({
      code: 'malformed',
      message: expect.stringContaining(`${2n ** 60n}`),
    })
  })

  test('with a ds64 that is too short is refused', () => {
    const wav = buildWav({ container: 'RF64' })
    wav.writeUInt32LE(16, 16)
    expect(refusalOf(wav)).toMatchObject({ code: 'malformed' })
  })

  test('with chunks without end is refused after the thousandth', () => {
    const before = Array.from({ length: 1001 }, () => ({ id: 'JUNK', data: Buffer.alloc(0) }))
    expect(refusalOf(buildWav({ before }))).toMatchObject({ code: 'malformed' })
  })

  test('with bytes where a chunk should begin is refused, and the sentence says where', () => {
    const wav = buildWav()
    wav.write('\0\0\0\0', 36, 'latin1')
    expect(refusalOf(wav)).toMatchObject({ code: 'malformed', message: expect.stringContaining('byte 36') })
  })

  test('with its format after its audio is refused', () => {
    const wav = buildWav()
    const head = wav.subarray(0, 12)
    const fmt = wav.subarray(12, 36)
    const swapped = Buffer.concat([head, wav.subarray(36), fmt])
    expect(refusalOf(swapped)).toMatchObject({
      code: 'malformed',
      message: expect.stringContaining('"fmt "'),
    })
  })
})

describe('a WAV without audio', () => {
  test('has no data chunk at all', () => {
    const wav = buildWav()
    const silent = wav.subarray(0, 36)
    silent.writeUInt32LE(28, 4)
    expect(refusalOf(silent)).toMatchObject({ code: 'no-audio' })
  })

  test('has an empty data chunk with another behind it', () => {
    const after = [{ id: 'LIST', data: Buffer.alloc(100) }]
    expect(refusalOf(buildWav({ samples: 0, after }), 7)).toMatchObject({ code: 'no-audio' })
  })
})
