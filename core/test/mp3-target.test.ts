/** Which MP3 a recording becomes, and how many frames it has (judged against the encoder in info-frame.test.ts). */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mp3TargetOf, planMp3 } from '../src/mp3-target.ts'
import { sourceOf } from './support/pcm-source.ts'

test.each([8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])(
  '%d Hz is known to MP3 and stays',
  (rate) => {
    const samplesPerFrame = rate >= 32_000 ? 1152 : 576
    expect(mp3TargetOf(sourceOf(rate))).toEqual({ sampleRate: rate, channels: 2, samplesPerFrame })
  },
)

test.each([
  [1000, 8000],
  [6000, 8000],
  [8001, 8000],
  [11_127, 11_025],
  [16_001, 16_000],
  [18_900, 22_050],
  [22_255, 22_050],
  [37_800, 44_100],
  [44_056, 44_100],
  [47_952, 48_000],
  [48_048, 48_000],
  [50_000, 48_000],
  [64_000, 48_000],
  [88_200, 44_100],
  [96_000, 48_000],
  [176_400, 44_100],
  [192_000, 48_000],
  [352_800, 44_100],
  [384_000, 48_000],
  [1_536_000, 48_000],
])('%d Hz becomes %d Hz', (from, to) => {
  expect(mp3TargetOf(sourceOf(from)).sampleRate).toBe(to)
})

test.each([
  [1, 1],
  [2, 2],
  [3, 2],
  [6, 2],
  [8, 2],
])('%d channels become %d', (from, to) => {
  expect(mp3TargetOf(sourceOf(44_100, from)).channels).toBe(to)
})

test('what is asked for comes before what the recording would become', () => {
  expect(mp3TargetOf(sourceOf(44_100), { channels: 1, sampleRate: 22_050 })).toEqual({
    ...{ sampleRate: 22_050, channels: 1, samplesPerFrame: 576 },
  })
  expect(mp3TargetOf(sourceOf(8000, 1), { channels: 2, sampleRate: 48_000 })).toEqual({
    ...{ sampleRate: 48_000, channels: 2, samplesPerFrame: 1152 },
  })
})

test.each([
  [96_000, 1, 1],
  [96_000, 2, 1],
  [96_000, 3, 2],
  [88_200, 88_201, 44_101],
  [37_800, 378_001, 441_002],
  [6000, 1, 2],
])('at %d Hz %d samples become %d: none is lost', (rate, samples, expected) => {
  expect(planMp3(sourceOf(rate), samples).outputSamples).toBe(expected)
})

test('lengths of many gigabytes are exact', () => {
  // 2^44 samples of 96 kHz: the product with the rate has more bits than a double.
  expect(planMp3(sourceOf(96_000), 2 ** 44 + 1).outputSamples).toBe(2 ** 43 + 1)
})

test('the frames hold the delay, all samples, and padding of at least the delay and less than a frame more', () => {
  const rates = fc.constantFrom(8000, 22_050, 32_000, 44_100, 48_000)
  const property = fc.property(rates, fc.integer({ min: 1, max: 2 ** 40 }), (rate, samples) => {
    const plan = planMp3(sourceOf(rate), samples)
    const { samplesPerFrame } = plan.target
    expect(plan.totalFrames * samplesPerFrame).toBe(576 + samples + plan.paddingSamples)
    expect(plan.paddingSamples).toBeGreaterThanOrEqual(576)
    expect(plan.paddingSamples).toBeLessThan(576 + samplesPerFrame)
  })
  fc.assert(property, { numRuns: 2000 })
})
