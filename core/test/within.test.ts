/** Bounded waits. */
import { describe, expect, it } from 'vitest'
import { settlesWithin, within } from '../src/within.ts'

const never = new Promise<never>(() => {})

describe('within', () => {
  it('gives what the work gives', async () => {
    expect(await within(60_000, 'The work', Promise.resolve(7))).toBe(7)
  })

  it('rejects as the work rejects', async () => {
    await expect(within(60_000, 'The work', Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  })

  it('rejects when the work takes longer, and says what did', async () => {
    await expect(within(10, 'The queue', never)).rejects.toThrow('The queue did not answer within 10 ms')
  })

  it('ignores what becomes of the work later', async () => {
    let fail = (_error: Error) => {}
    const work = new Promise<never>((_, reject) => {
      fail = reject
    })
    await expect(within(10, 'The work', work)).rejects.toThrow('did not answer')
    fail(new Error('too late')) // an unhandled rejection would fail the run
    await new Promise((resolve) => setImmediate(resolve))
  })
})

describe('settlesWithin', () => {
  it('is true for work that ends, well or badly, and false for work that takes longer', async () => {
    expect(await settlesWithin(60_000, Promise.resolve())).toBe(true)
    expect(await settlesWithin(60_000, Promise.reject(new Error('broken')))).toBe(true)
    expect(await settlesWithin(10, never)).toBe(false)
  })
})
