/** Readings that are shared: never an old one, never more than are needed. */
import { describe, expect, it } from 'vitest'
import { createSharedReads } from '../src/share-reads.ts'

describe('shared reads', () => {
  it('two thousand who ask at once cost one reading', async () => {
    let reads = 0
    const share = createSharedReads<number>()
    const answers = await Promise.all(Array.from({ length: 2_000 }, () => share('a', async () => ++reads)))
    expect(new Set(answers)).toEqual(new Set([1]))
  })

  it('nobody gets an answer that was read before they asked', async () => {
    const share = createSharedReads<number>()
    let state = 0
    let finish = () => {}
    const slow = share('a', () => {
      const seen = state
      return new Promise((resolve) => {
        finish = () => resolve(seen)
      })
    })
    await new Promise((resolve) => setTimeout(resolve, 20)) // it has begun
    state = 1
    const late = Promise.all([share('a', async () => state), share('a', async () => 99)])
    expect(await share('b', async () => 7)).toBe(7) // another thing does not wait for it
    finish()
    expect(await slow).toBe(0)
    expect(await late).toEqual([1, 1])
  })

  it('a reading that fails fails for those who share it, and for nobody after them', async () => {
    const share = createSharedReads<string>()
    const failing = () => Promise.reject(new Error('away'))
    const asked = [share('a', failing), share('a', failing)]
    expect(await Promise.allSettled(asked)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
    expect(await share('a', async () => 'there')).toBe('there')
  })
})
