/** The plan: which MP3 a recording becomes, and how many frames it has (judged against the encoder in info-frame.test.ts). */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PcmSource } from '../src/pcm-source.ts'
import { mp3TargetOf, planRecording } from '../src/segment-plan.ts'

const options = { segmentSeconds: 300 }

function sourceOf(sampleRate: number, channels = 2): PcmSource {
  return {
    ...{ encoding: 's16le', sampleRate, channels, bitsPerSample: 16, bytesPerSample: 2 },
    ...{ blockAlign: 2 * channels, channelMask: undefined, dataStart: 44 },
  }
}

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

test('one segment reads all of the audio and gives all of the frames', () => {
  const { segments, totalFrames } = planRecording(sourceOf(44_100), 441_000, options)
  expect(segments).toEqual([
    { seq: 0, startByte: 44, endByte: 44 + 4 * 441_000, firstFrame: 0, frames: totalFrames, warmUpFrames: 0 },
  ])
})

test.each([
  [96_000, 1, 1],
  [96_000, 2, 1],
  [96_000, 3, 2],
  [88_200, 88_201, 44_101],
  [37_800, 378_001, 441_002],
  [6000, 1, 2],
])('at %d Hz %d samples become %d: none is lost', (rate, samples, expected) => {
  expect(planRecording(sourceOf(rate), samples, options).outputSamples).toBe(expected)
})

test('lengths of many gigabytes are exact', () => {
  // 2^44 samples of 96 kHz: the product with the rate has more bits than a double.
  expect(planRecording(sourceOf(96_000), 2 ** 44 + 1, options).outputSamples).toBe(2 ** 43 + 1)
})

test('the frames hold the delay, all samples, and padding of at least the delay and less than a frame more', () => {
  const rates = fc.constantFrom(8000, 22_050, 32_000, 44_100, 48_000)
  const property = fc.property(rates, fc.integer({ min: 1, max: 2 ** 40 }), (rate, samples) => {
    const plan = planRecording(sourceOf(rate), samples, options)
    const { samplesPerFrame } = plan.target
    expect(plan.totalFrames * samplesPerFrame).toBe(576 + samples + plan.paddingSamples)
    expect(plan.paddingSamples).toBeGreaterThanOrEqual(576)
    expect(plan.paddingSamples).toBeLessThan(576 + samplesPerFrame)
  })
  fc.assert(property, { numRuns: 2000 })
})
