/** The header reader on honest WAVs: encodings, containers, extensible headers, other chunks, open sizes. */
import { describe, expect, test } from 'vitest'
import { buildWav, wavHead } from '../../test/support/wav.ts'
import type { WavEncoding } from '../../test/support/wav-samples.ts'
import { readHeader } from './support/read-header.ts'

const encodings: [WavEncoding, string, string, number, string][] = [
  ['u8', 'u8', 'u8', 1, 'PCM 8-bit'],
  ['s16', 's16le', 's16be', 2, 'PCM 16-bit'],
  ['s24', 's24le', 's24be', 3, 'PCM 24-bit'],
  ['s32', 's32le', 's32be', 4, 'PCM 32-bit'],
  ['s64', 's64le', 's64be', 8, 'PCM 64-bit'],
  ['f32', 'f32le', 'f32be', 4, 'float 32-bit'],
  ['f64', 'f64le', 'f64be', 8, 'float 64-bit'],
  ['alaw', 'alaw', 'alaw', 1, 'A-law'],
  ['mulaw', 'mulaw', 'mulaw', 1, 'u-law'],
]

describe.each(encodings)('a WAV of %s samples', (encoding, little, big, bytesPerSample, codec) => {
  test.each(['RIFF', 'RF64', 'BW64'] as const)('is read from a plain header in %s', (container) => {
    const { source, codec: found, declaredDataBytes } = readHeader(buildWav({ encoding, container }))
    expect(source).toEqual({
      encoding: little,
      sampleRate: 44_100,
      channels: 2,
      bitsPerSample: 8 * bytesPerSample,
      bytesPerSample,
      blockAlign: 2 * bytesPerSample,
      channelMask: undefined,
      dataStart: container === 'RIFF' ? 44 : 80,
    })
    expect(found).toBe(codec)
    expect(declaredDataBytes).toBe(4410 * 2 * bytesPerSample)
  })

  test('is read from a big-endian header in RIFX, plain and extensible', () => {
    for (const extensible of [false, true]) {
      const spec = { encoding, container: 'RIFX', extensible, sampleRate: 48_000, channels: 1 } as const
      const { source, declaredDataBytes } = readHeader(buildWav(spec))
      expect(source).toMatchObject({ encoding: big, sampleRate: 48_000, channels: 1, bytesPerSample })
      expect(declaredDataBytes).toBe(4410 * bytesPerSample)
    }
  })

  test('is read from an extensible header with its channel mask', () => {
    const spec = { encoding, extensible: true, channels: 6, channelMask: 0x3f } as const
    const { source, codec: found } = readHeader(buildWav(spec))
    expect(source).toMatchObject({ encoding: little, channels: 6, channelMask: 0x3f, dataStart: 68 })
    expect(found).toBe(codec)
  })
})

test.each([
  ['s16', 12, 'PCM 12-bit in 16'],
  ['s24', 20, 'PCM 20-bit in 24'],
  ['s32', 24, 'PCM 24-bit in 32'],
] as const)('valid bits in a larger container are told apart: %s with %d', (encoding, validBits, codec) => {
  const header = readHeader(buildWav({ encoding, validBits, extensible: true }))
  expect(header.codec).toBe(codec)
  expect(header.source).toMatchObject({ encoding: `${encoding}le`, bitsPerSample: validBits })
})

test('a plain header states 12 or 20 valid bits in the smallest container that holds them', () => {
  expect(readHeader(buildWav({ encoding: 's16', validBits: 12 })).codec).toBe('PCM 12-bit in 16')
  expect(readHeader(buildWav({ encoding: 's24', validBits: 20 })).codec).toBe('PCM 20-bit in 24')
})

test('an extensible header with no valid bits means all of the container', () => {
  const header = readHeader(buildWav({ extensible: true, format: { validBits: 0 } }))
  expect(header.source.bitsPerSample).toBe(16)
})

test('an extensible header may state 24 bits in blocks of 4 bytes for each channel', () => {
  const format = { bitsPerSample: 24, validBits: 24 }
  const header = readHeader(buildWav({ encoding: 's32', extensible: true, format }))
  expect(header.source).toMatchObject({ encoding: 's32le', bitsPerSample: 24, bytesPerSample: 4 })
})

test('a wrong byte rate is no fault', () => {
  expect(readHeader(buildWav({ format: { byteRate: 7 } })).source.sampleRate).toBe(44_100)
})

describe('other chunks', () => {
  const list = { id: 'LIST', data: Buffer.from('INFOISFT\x02\0\0\0me') }
  const odd = { id: 'junk', data: Buffer.from('odd') }

  test('before, between and after the format and the audio are passed over', () => {
    const wav = buildWav({ before: [list, odd, list], between: [odd, list], after: [odd] })
    expect(readHeader(wav).source.dataStart).toBe(wav.indexOf('data') + 8)
  })

  test.each(['fmt ', 'LIST', 'anything'])(
    'an odd one without its pad byte is followed by what comes at once: %s',
    (next) => {
      const following = next === 'fmt ' ? [] : [{ id: next, data: Buffer.alloc(6) }]
      const wav = buildWav({ before: [{ ...odd, padded: false }, ...following] })
      expect(readHeader(wav).source.dataStart).toBe(wav.indexOf('data') + 8)
    },
  )

  test('an odd one right before the audio may lack its pad byte', () => {
    const wav = buildWav({ between: [{ ...odd, padded: false }] })
    expect(readHeader(wav).source.dataStart).toBe(wav.indexOf('data') + 8)
  })

  test('a format chunk with more in it than its fields is passed over to its end', () => {
    for (const fmtBytes of [18, 20, 40, 41, 1000]) {
      const wav = buildWav({ fmtBytes })
      expect(readHeader(wav).source.dataStart).toBe(wav.indexOf('data') + 8)
    }
  })

  test('one of many megabytes is passed over without being kept', () => {
    const wav = buildWav({ before: [{ id: 'id3 ', data: Buffer.alloc(20_000_000) }] })
    expect(readHeader(wav, 65_536).source.dataStart).toBe(44 + 8 + 20_000_000)
  })
})

describe('the size of the audio', () => {
  test.each([0, 0xffff_ffff])('is open where a recorder left %d in all sizes', (size) => {
    const declared = { riffBytes: size, dataBytes: size }
    expect(readHeader(buildWav({ declared })).declaredDataBytes).toBeUndefined()
  })

  test('is open where a recorder left nothing but its audio size 0', () => {
    const wav = buildWav({ declared: { dataBytes: 0 } })
    expect(readHeader(wav).declaredDataBytes).toBeUndefined()
  })

  test('is open where the file ends within 8 bytes of audio', () => {
    const wav = buildWav({ samples: 1, declared: { riffBytes: 0, dataBytes: 0 } })
    expect(readHeader(wav, 1).declaredDataBytes).toBeUndefined()
  })

  test('is that of the ds64 chunk, beyond 4 GiB', () => {
    const samples = 2_000_000_000
    expect(readHeader(wavHead({ container: 'RF64', samples })).declaredDataBytes).toBe(8_000_000_000)
  })

  test('is that of the 32-bit field in an RF64 that fills it in', () => {
    const wav = buildWav({ container: 'RF64' })
    wav.writeUInt32LE(1234, wav.indexOf('data') + 4)
    expect(readHeader(wav).declaredDataBytes).toBe(1234)
  })

  test.each([0, 0xffff_ffff])('is open in an RF64 whose ds64 holds %d', (dataBytes) => {
    const wav = buildWav({ container: 'RF64', declared: { dataBytes } })
    expect(readHeader(wav).declaredDataBytes).toBeUndefined()
  })
})

test('a decided reader keeps its header, whatever comes after', () => {
  const wav = buildWav({ encoding: 's24' })
  expect(readHeader(Buffer.concat([wav, Buffer.alloc(100_000, 'data')]), 1000)).toEqual(readHeader(wav))
})
