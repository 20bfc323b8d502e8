/** The waveform: every sample is in exactly one pixel, whatever the format and however it is divided and read. */
import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { missing } from '../../test/support/requirement.ts'
import type { PcmEncoding, RawFormat } from '../src/pcm-source.ts'
import { createPeaksReader, pixelsWithin, planPeaks } from '../src/peaks.ts'

const formatOf = (encoding: PcmEncoding, bytesPerSample: number, channels = 1): RawFormat => ({
  encoding,
  bytesPerSample,
  channels,
  sampleRate: 44_100,
  bitsPerSample: bytesPerSample * 8,
  blockAlign: bytesPerSample * channels,
  channelMask: undefined,
})

describe('the plan', () => {
  it('has 1 to 4,000 pixels, and all samples in them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (samples) => {
        const { samplesPerPixel, pixels } = planPeaks(samples)
        expect(pixels).toBeGreaterThan(0)
        expect(pixels).toBeLessThanOrEqual(4_000)
        expect(pixels * samplesPerPixel).toBeGreaterThanOrEqual(samples)
        expect((pixels - 1) * samplesPerPixel).toBeLessThan(samples)
      }),
    )
  })

  it('gives each pixel to one segment, however a recording is divided', () => {
    const cases = fc.record({
      samples: fc.integer({ min: 1, max: 1e9 }),
      cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
    })
    fc.assert(
      fc.property(cases, ({ samples, cuts }) => {
        const plan = planPeaks(samples)
        const starts = [0, ...cuts.map((cut) => Math.floor(cut * samples)).sort((a, b) => a - b), samples]
        let next = 0
        for (const [index, start] of starts.slice(0, -1).entries()) {
          const { first, end } = pixelsWithin(plan, start, starts[index + 1] ?? samples)
          expect(first).toBe(next)
          next = end
        }
        expect(next).toBe(plan.pixels)
      }),
    )
  })
})

describe('the peaks', () => {
  it('are the lowest and the highest of all channels, in whatever pieces they are read', () => {
    const cases = fc.record({
      values: fc.array(fc.integer({ min: -32_768, max: 32_767 }), { minLength: 2, maxLength: 200 }),
      channels: fc.integer({ min: 1, max: 2 }),
      samplesPerPixel: fc.integer({ min: 1, max: 20 }),
      piece: fc.integer({ min: 1, max: 50 }),
    })
    fc.assert(
      fc.property(cases, ({ values, channels, samplesPerPixel, piece }) => {
        const whole = values.slice(0, values.length - (values.length % channels))
        const bytes = new Uint8Array(Int16Array.from(whole).buffer)
        const reader = createPeaksReader(formatOf('s16le', 2, channels), samplesPerPixel)
        for (let at = 0; at < bytes.length; at += piece) {
          const some = bytes.slice(at, at + piece)
          reader.push(some)
          some.fill(0xaa) // what was pushed is the caller's again
        }
        const expected: number[] = []
        for (let at = 0; at < whole.length; at += samplesPerPixel * channels) {
          const pixel = whole.slice(at, at + samplesPerPixel * channels)
          expected.push(Math.floor(Math.min(...pixel) / 256), Math.floor(Math.max(...pixel) / 256))
        }
        expect([...new Int8Array(reader.end())]).toEqual(expected)
      }),
    )
  })

  it('of floats clip, and take what is no number for silence', () => {
    const values = Float32Array.from([0.5, -0.5, 3, -3, Number.NaN, Number.POSITIVE_INFINITY, 1, -1])
    const reader = createPeaksReader(formatOf('f32le', 4), 2)
    reader.push(new Uint8Array(values.buffer))
    expect([...new Int8Array(reader.end())]).toEqual([-64, 64, -128, 127, 0, 0, -128, 127])
  })

  const encodings: [PcmEncoding, number][] = [
    ['u8', 1],
    ['s16be', 2],
    ['s24le', 3],
    ['s24be', 3],
    ['s32le', 4],
    ['s32be', 4],
    ['f32be', 4],
    ['f64le', 8],
    ['f64be', 8],
    ['alaw', 1],
    ['mulaw', 1],
  ]
  it.skipIf(missing('ffmpeg')).each(encodings)(
    'of %s are those of the same sound as ffmpeg converts it',
    (encoding, bytes) => {
      const source = Int16Array.from({ length: 4_096 }, (_, index) =>
        Math.round(32_000 * Math.sin(index ** 1.5 / 500)),
      )
      const convert = (input: Uint8Array, from: string, to: string) =>
        execFileSync(
          'ffmpeg',
          ['-v', 'error', '-f', from, '-ar', '8000', '-ac', '1', '-i', '-', '-f', to, '-'],
          { input },
        )
      const converted = convert(new Uint8Array(source.buffer), 's16le', encoding)
      const back = convert(converted, encoding, 's16le')
      const peaksOf = (data: Uint8Array, format: RawFormat) => {
        const reader = createPeaksReader(format, 64)
        reader.push(data)
        return [...new Int8Array(reader.end())]
      }
      expect(peaksOf(converted, formatOf(encoding, bytes))).toEqual(peaksOf(back, formatOf('s16le', 2)))
    },
  )
})
