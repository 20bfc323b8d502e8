/** How long a recording is where its header and its file do not agree, and what the client is told of it. */
import { expect, test } from 'vitest'
import { buildWav, type WavSpec, wavHead } from '../../test/support/wav.ts'
import { measureWav } from '../src/measure-wav.ts'
import { readHeader } from './support/read-header.ts'

const GIB4 = 2 ** 32

/** Measures a file that was made for `spec`, of `fileBytes` (its own size if left out). */
function measure(spec: WavSpec, fileBytes?: number) {
  const file = fileBytes === undefined ? buildWav(spec) : wavHead(spec)
  return measureWav(readHeader(file), fileBytes ?? file.length)
}

test('an honest file gives its samples and no warning, with and without chunks behind', () => {
  const after = [{ id: 'LIST', data: Buffer.alloc(333) }]
  expect(measure({ samples: 1234 })).toEqual({ samples: 1234, dataBytes: 4936, warnings: [] })
  expect(measure({ samples: 1234, after })).toEqual({ samples: 1234, dataBytes: 4936, warnings: [] })
})

test('a file that was cut gives what it holds, and the warning names both lengths', () => {
  const spec = { sampleRate: 1000, channels: 1, samples: 60_000 }
  expect(measure(spec, 44 + 2 * 42_300)).toEqual({
    samples: 42_300,
    dataBytes: 84_600,
    warnings: ['the header promises 60.0 s, the file holds 42.3 s: the 42.3 s were converted'],
  })
})

test('less than a tenth of a second that is missing is counted in samples', () => {
  expect(measure({ samples: 5000 }, 44 + 4 * 4999).warnings).toEqual([
    'the header promises 5000 samples, the file holds 4999 samples: the 4999 samples were converted',
  ])
})

test.each([0, 0xffff_ffff])('an open size of %d means all up to the end, with a warning', (size) => {
  const spec = { sampleRate: 8000, samples: 20_000, declared: { riffBytes: size, dataBytes: size } }
  expect(measure(spec)).toEqual({
    samples: 20_000,
    dataBytes: 80_000,
    warnings: ['the header leaves the length open: all 2.5 s up to the end were converted'],
  })
})

test('bytes that make up no whole sample are left out, with a warning', () => {
  const wav = buildWav({ samples: 10, declared: { dataBytes: 38 } })
  expect(measureWav(readHeader(wav), wav.length)).toEqual({
    samples: 9,
    dataBytes: 36,
    warnings: ['the last 2 bytes of the audio are no whole sample: they were left out'],
  })
})

test('audio behind the end that the header states is left out, with a warning', () => {
  const spec = { samples: 44_100 }
  expect(measure(spec, 44 + 4 * 88_200)).toEqual({
    samples: 44_100,
    dataBytes: 176_400,
    warnings: ['176400 bytes follow the end that the header states: they were left out'],
  })
  expect(measure(spec, 44 + 4 * 44_100 + 128).warnings).toEqual([])
})

test('a RIFF whose sizes began anew at 4 GiB gives all its audio', () => {
  const samples = 1_500_000_000
  const audioBytes = 4 * samples
  const declared = { riffBytes: (36 + audioBytes) % GIB4, dataBytes: audioBytes % GIB4 }
  expect(measure({ samples, declared }, 44 + audioBytes)).toEqual({
    samples,
    dataBytes: audioBytes,
    warnings: ['the file is larger than its header can say: all of it was converted'],
  })
})

test('an RF64 of 6 GB gives all its audio without a warning', () => {
  const samples = 1_500_000_000
  expect(measure({ container: 'RF64', samples }, 80 + 4 * samples)).toEqual({
    samples,
    dataBytes: 4 * samples,
    warnings: [],
  })
})

test.each([
  ['no byte follows the header', {}, 44],
  ['less than one sample follows', {}, 47],
  ['its size is open and nothing follows', { declared: { riffBytes: 0, dataBytes: 0 } }, 44],
  ['the stated size is less than one sample', { declared: { dataBytes: 3 } }, 1000],
])('there is no audio where %s', (_case, spec, fileBytes) => {
  expect(() => measure(spec, fileBytes)).toThrow(expect.objectContaining({ code: 'no-audio' }))
})
