/** The parts that waiting is made of, each by itself. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBell } from '../src/bell.ts'
import { estimateSeconds, retryAfterSeconds } from '../src/estimate.ts'
import { remember } from '../src/remember.ts'

const FOR_EVER_MS = 3_600_000

describe('remembering', () => {
  it('asks once for each key, until the time is over', async () => {
    let reads = 0
    const read = remember(20, async (key: string) => `${key}${++reads}`)
    expect(await Promise.all([read('a'), read('a'), read('b')])).toEqual(['a1', 'a1', 'b2'])
    let latest = await read('a')
    while (latest === 'a1') {
      await new Promise((resolve) => setTimeout(resolve, 5))
      latest = await read('a')
    }
    expect(latest).toBe('a3')
  })

  it('does not remember a failure', async () => {
    let reads = 0
    const read = remember(FOR_EVER_MS, async () => {
      reads += 1
      if (reads === 1) throw new Error('away')
      return reads
    })
    await expect(read('a')).rejects.toThrow('away')
    expect(await read('a')).toBe(2)
  })
})

describe('a bell', () => {
  it('that rang before somebody waits wakes them at once, and once', async () => {
    const bell = createBell()
    bell.ring()
    bell.ring()
    await bell.wait(FOR_EVER_MS)
    const second = bell.wait(FOR_EVER_MS).then(() => 'woken')
    const pending = new Promise((resolve) => setTimeout(resolve, 10, 'asleep'))
    expect(await Promise.race([second, pending])).toBe('asleep')
    bell.ring()
    expect(await second).toBe('woken')
  })

  it('that never rings is given up after the time', async () => {
    await createBell().wait(1)
  })
})

describe('the estimate', () => {
  it.each([
    ['before anything was measured, thirty times as fast as it sounds', 3_600, 0, 0, 120],
    ['for hardly anything, a second', 0.01, 0, 0, 1],
    ['at a measured 100x', 3_600, 99_940, 998, 36],
    ['at a measured 1x', 3_600, 10_000, 10_000, 3_580],
  ])('is, %s', (_what, audio, audioSeconds, busySeconds, expected) => {
    expect(estimateSeconds(audio, { audioSeconds, busySeconds })).toBe(expected)
  })

  it('is a whole number of at least 1, and asking again makes sense within 1..120 seconds', () => {
    const seconds = fc.double({ min: 0, max: 1e7, noNaN: true })
    fc.assert(
      fc.property(seconds, seconds, seconds, (audio, audioSeconds, busySeconds) => {
        const estimated = estimateSeconds(audio, { audioSeconds, busySeconds })
        expect(Number.isSafeInteger(estimated) && estimated >= 1).toBe(true)
        const retryAfter = retryAfterSeconds(estimated)
        expect(Number.isInteger(retryAfter) && retryAfter >= 1 && retryAfter <= 120).toBe(true)
      }),
    )
  })
})
