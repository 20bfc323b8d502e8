/** The mix of many channels to few: by the tables of ITU-R BS.775 and RFC 9639, and never beyond full scale. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mixdownOf } from '../src/mixdown.ts'
import { sourceOf } from './support/pcm-source.ts'

const mixOf = (channels: number, mask: number | undefined, outputs: 1 | 2 = 2) =>
  mixdownOf(sourceOf(48_000, channels, mask), outputs)

test('as many channels as go in pass as they are, whatever the mask calls them', () => {
  expect(mixOf(1, 1, 1)).toBeUndefined()
  expect(mixOf(2, 0b1100)).toBeUndefined()
})

test('one channel is as loud on both sides as it was', () => {
  expect(mixOf(1, undefined)).toEqual([[1], [1]])
})

test('left and right are equal parts of one channel', () => {
  expect(mixOf(2, 0b1100, 1)).toEqual([[0.5, 0.5]])
})

test('5.1 is front + 0.707 centre + 0.707 back, without the low-frequency channel, divided by the sum', () => {
  const sum = 1 + 2 * Math.SQRT1_2
  const [left, right] = mixOf(6, 0x3f) ?? []
  const expected = [1, 0, Math.SQRT1_2, 0, Math.SQRT1_2, 0].map((gain) => gain / sum)
  expected.forEach((gain, index) => {
    expect(left?.[index]).toBeCloseTo(gain, 12)
  })
  expect(right).toEqual([1, 0, 2, 3, 5, 4].map((mirrored) => left?.[mirrored]))
})

test.each([
  ['no mask', undefined],
  ['a mask of too few speakers', 0x7],
  ['a mask of too many speakers', 0xff],
  ['a speaker that nobody knows', 0x4001f],
])('six channels with %s are 5.1', (_, mask) => {
  expect(mixOf(6, mask)).toEqual(mixOf(6, 0x3f))
})

test('no channel but the low-frequency one is lost, and nothing can clip', () => {
  const masks = fc.integer({ min: 1, max: 2 ** 18 - 1 })
  const property = fc.property(masks, fc.constantFrom(1 as const, 2 as const), (mask, outputs) => {
    const channels = mask.toString(2).replaceAll('0', '').length
    fc.pre(channels >= 3)
    const mix = mixOf(channels, mask, outputs) ?? []
    expect(mix).toHaveLength(outputs)
    for (const gains of mix) {
      expect(gains).toHaveLength(channels)
      expect(gains.reduce((sum, gain) => sum + gain, 0)).toBeLessThanOrEqual(1 + 1e-12)
    }
    const heard = Array.from({ length: channels }, (_, at) => Math.max(...mix.map((gains) => gains[at] ?? 0)))
    expect(heard.filter((gain) => gain === 0)).toHaveLength((mask >> 3) & 1)
  })
  fc.assert(property)
})

test('without a mask every channel of three and of four is heard', () => {
  for (const channels of [3, 4]) {
    const mix = mixOf(channels, undefined) ?? []
    for (let at = 0; at < channels; at += 1) expect(mix.some((gains) => (gains[at] ?? 0) > 0)).toBe(true)
  }
})
