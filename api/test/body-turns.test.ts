import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createBodyTurns } from '../src/body-turns.ts'

const never = new AbortController().signal
const settled = () => new Promise((resolve) => setImmediate(resolve))

it('never reads more than allowed of one address, and serves the others in their order', async () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('come', 'end', 'leave')), {
    maxLength: 60,
  })
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const turns = createBodyTurns({ atOnce: 2, inLine: 3 })
      const model = { a: newLine(), b: newLine(), c: newLine() }
      for (const [address, what] of sequence) {
        const line = model[address]
        if (what === 'come') await come(line, turns.take(address, line.nextSignal()))
        else if (what === 'end') line.end()
        else line.leave()
        await settled()
        expect(line.reading()).toEqual(line.expected.slice(0, 2))
      }
    }),
  )

  /** What an address's uploads should do: `expected` are those that read or wait, in their order. */
  function newLine() {
    let count = 0
    const expected: number[] = []
    const releases = new Map<number, () => void>()
    const signals = new Map<number, AbortController>()
    return {
      expected,
      releases,
      reading: () => expected.filter((id) => releases.has(id)),
      nextSignal() {
        signals.set(count, new AbortController())
        return signals.get(count)?.signal ?? never
      },
      nextId: () => count++,
      end() {
        const id = expected.find((one) => releases.has(one))
        if (id === undefined) return
        releases.get(id)?.()
        releases.get(id)?.() // a second time does nothing
        expected.splice(expected.indexOf(id), 1)
      },
      leave() {
        const id = expected.findLast((one) => !releases.has(one))
        if (id === undefined) return
        signals.get(id)?.abort()
        expected.splice(expected.indexOf(id), 1)
      },
    }
  }

  async function come(line: ReturnType<typeof newLine>, taken: Promise<() => void>): Promise<void> {
    const id = line.nextId()
    if (line.expected.length === 5) {
      await expect(taken).rejects.toMatchObject({ code: 'too-many-uploads', status: 429 })
      return
    }
    line.expected.push(id)
    taken.then(
      (release) => line.releases.set(id, release),
      () => {},
    )
  }
})

it('lets everybody in where there is no limit', async () => {
  const turns = createBodyTurns({ atOnce: Infinity, inLine: 0 })
  await Promise.all(Array.from({ length: 1_000 }, () => turns.take('a', never)))
})
