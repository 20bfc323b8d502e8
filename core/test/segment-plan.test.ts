/** The plan: segments that together are the recording, each with all that it must read (judged in worker's joined-frames.test.ts). */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MP3_RATES } from '../src/mp3-format.ts'
import { type Plan, planRecording } from '../src/segment-plan.ts'
import { sourceOf } from './support/pcm-source.ts'

const HOUR_AT_44100 = 3600 * 44_100
const five = { segmentSeconds: 300 }

/** What a plan of several segments must be like whatever was planned; `dataStart` is 44. */
function expectSound(plan: Plan, samples: number, blockAlign: number): void {
  const { segments, totalFrames } = plan
  let nextFrame = 0
  segments.forEach((segment, index) => {
    expect(segment.seq).toBe(index)
    expect(segment.firstFrame).toBe(nextFrame)
    expect(segment.frames).toBeGreaterThan(0)
    expect(segment.firstFrame % 49).toBe(0)
    expect(segment.warmUpFrames % 49).toBe(0)
    expect(segment.warmUpFrames).toBeGreaterThanOrEqual(Math.min(196, segment.firstFrame))
    expect(segment.warmUpFrames).toBeLessThanOrEqual(segment.firstFrame)
    expect((segment.startByte - 44) % blockAlign).toBe(0)
    expect((segment.endByte - 44) % blockAlign).toBe(0)
    expect(segment.startByte).toBeGreaterThanOrEqual(44)
    expect(segment.endByte).toBeGreaterThan(segment.startByte)
    expect(segment.endByte).toBeLessThanOrEqual(44 + samples * blockAlign)
    nextFrame += segment.frames
  })
  expect(nextFrame).toBe(totalFrames)
  expect(segments[0]?.startByte).toBe(44)
  expect(segments.at(-1)?.endByte).toBe(44 + samples * blockAlign)
}

test('one segment reads all of the audio and gives all of the frames', () => {
  const { segments, totalFrames } = planRecording(sourceOf(44_100), 441_000, five)
  expect(segments).toEqual([
    { seq: 0, startByte: 44, endByte: 44 + 4 * 441_000, firstFrame: 0, frames: totalFrames, warmUpFrames: 0 },
  ])
})

test('an hour is twelve segments of about five minutes', () => {
  const { segments } = planRecording(sourceOf(44_100), HOUR_AT_44100, five)
  expect(segments).toHaveLength(12)
  for (const { frames } of segments) {
    expect(Math.abs((frames * 1152) / 44_100 - 300)).toBeLessThan(2)
  }
})

test('a segment reads 196 frames before its first and one frame after its last', () => {
  const { segments } = planRecording(sourceOf(48_000, 1), 3600 * 48_000, five)
  const [, second] = segments
  expect(second).toMatchObject({
    firstFrame: 12_495,
    warmUpFrames: 196,
    startByte: 44 + (12_495 - 196) * 1152 * 2,
  })
  const end = 12_495 + (second?.frames ?? 0) + 1
  expect(second?.endByte).toBe(44 + end * 1152 * 2)
})

test.each([
  [449, 1],
  [451, 2],
  [749, 2],
  [751, 3],
])('%d s in segments of about 300 s are %d', (seconds, count) => {
  expect(planRecording(sourceOf(44_100), seconds * 44_100, five).segments).toHaveLength(count)
})

test('one segment can be asked for', () => {
  const forEver = { segmentSeconds: Number.POSITIVE_INFINITY }
  expect(planRecording(sourceOf(44_100), HOUR_AT_44100, forEver).segments).toHaveLength(1)
})

test('segments of any recording at any rate are sound', () => {
  const rates = fc.oneof(fc.constantFrom(...MP3_RATES), fc.integer({ min: 1000, max: 400_000 }))
  const property = fc.property(
    rates,
    fc.integer({ min: 1, max: 2 ** 32 }),
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 1, max: 40 }),
    fc.option(fc.constantFrom(...MP3_RATES), { nil: undefined }),
    (rate, samples, channels, wantedSegments, sampleRate) => {
      const segmentSeconds = samples / rate / wantedSegments
      const encode = sampleRate === undefined ? {} : { sampleRate }
      const plan = planRecording(sourceOf(rate, channels), samples, { segmentSeconds, encode })
      expectSound(plan, samples, 2 * channels)
    },
  )
  fc.assert(property, { numRuns: 300 })
})

test('where the rate is converted, each segment starts at a whole sample of both rates', () => {
  for (const [from, to, step] of [
    [96_000, 48_000, 49],
    [48_000, 44_100, 49],
    [44_100, 48_000, 245],
    [11_025, 16_000, 490],
  ] as const) {
    const encode = { sampleRate: to }
    const { segments, target } = planRecording(sourceOf(from), 3600 * from, { ...five, encode })
    expect(segments).toHaveLength(12)
    for (const { firstFrame, warmUpFrames, startByte } of segments) {
      expect(firstFrame % step).toBe(0)
      expect(((startByte - 44) / 4) * to).toBe((firstFrame - warmUpFrames) * target.samplesPerFrame * from)
    }
  }
})

test.each([11_127, 16_001, 44_056, 22_255])('%d Hz has no such place in reach, and one segment', (rate) => {
  expect(planRecording(sourceOf(rate), 3600 * rate, five).segments).toHaveLength(1)
})

test('the bytes of a recording of terabytes are exact', () => {
  const samples = 2 ** 40 + 1
  const { segments } = planRecording(sourceOf(192_000, 8), samples, { segmentSeconds: 86_400 })
  const last = segments.at(-1)
  expect(last?.endByte).toBe(44 + 16 * samples)
  const start = BigInt((last?.firstFrame ?? 0) - (last?.warmUpFrames ?? 0)) * 1152n * 4n
  expect(BigInt(last?.startByte ?? 0)).toBe(44n + 16n * start)
})
