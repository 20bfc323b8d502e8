import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createSpoolCap } from '../src/spool-cap.ts'

it('never lets in more than allowed, for an address or in all, and a place given back can be taken again', () => {
  const steps = fc.array(
    fc.record({ address: fc.constantFrom('a', 'b', 'c', 'd', 'e'), giveBack: fc.boolean() }),
    {
      maxLength: 100,
    },
  )
  fc.assert(
    fc.property(steps, (sequence) => {
      const cap = createSpoolCap({ spooledForEachAddress: 2, spooledInAll: 5 })
      const held: { address: string; release: () => void }[] = []
      for (const { address, giveBack } of sequence) {
        if (giveBack) {
          const [one] = held.splice(0, 1)
          one?.release()
          one?.release() // a second time does nothing
          continue
        }
        const own = held.filter((one) => one.address === address).length
        if (own >= 2) expect(() => cap.take(address)).toThrow(expect.objectContaining({ status: 429 }))
        else if (held.length >= 5)
          expect(() => cap.take(address)).toThrow(expect.objectContaining({ status: 503 }))
        else held.push({ address, release: cap.take(address) })
      }
    }),
  )
})
