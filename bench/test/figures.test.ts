/** The figures of the benchmarks: medians, percentiles and the table. */
import { describe, expect, it } from 'vitest'
import { median, percentile, renderTable } from '../src/figures.ts'

describe('median', () => {
  it('is the middle value of an odd count, in whatever order they come', () => {
    expect(median([9, 1, 5])).toBe(5)
  })

  it('is the mean of the middle two of an even count', () => {
    expect(median([1, 10, 2, 3])).toBe(2.5)
  })

  it('refuses no values', () => {
    expect(() => median([])).toThrow(RangeError)
  })
})

describe('percentile', () => {
  it('is the smallest value that the share of all values does not exceed', () => {
    const oneToHundred = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect(percentile(oneToHundred, 0.99)).toBe(99)
    expect(percentile(oneToHundred, 1)).toBe(100)
    expect(percentile([7], 0.99)).toBe(7)
  })
})

describe('renderTable', () => {
  it('sets each figure beside its bar, and says whether it passed', () => {
    const table = renderTable([
      { what: 'time', detail: '3 s against 2 s', value: 1.4567, unit: 'x', bar: 2 },
      { what: 'memory', detail: 'peak 200 MB', value: 90, unit: 'MB', bar: 80 },
      { what: 'first start', detail: '', value: 61, unit: 's' },
    ])
    expect(
      table.split('\n').map((line) =>
        line
          .split('|')
          .map((cell) => cell.trim())
          .slice(1, -1),
      ),
    ).toEqual([
      ['measured', 'Wavemill against the plain tool', 'figure', 'bar', ''],
      expect.arrayContaining([expect.stringMatching(/^-+$/)]),
      ['time', '3 s against 2 s', '1.46 x', '<= 2 x', 'pass'],
      ['memory', 'peak 200 MB', '90 MB', '<= 80 MB', 'MISS'],
      ['first start', '', '61 s', '', ''],
    ])
  })
})
