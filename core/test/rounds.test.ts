/** Fair queueing against a model: whoever comes and goes, a queue served by rounds serves its users in turn. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { giveRounds, LAST_ROUND } from '../src/rounds.ts'

describe('giveRounds', () => {
  it('begins with 1 where nothing waits, and gives one round to each segment', () => {
    expect(giveRounds({ firstWaiting: undefined, ownLast: 0 }, 3)).toEqual([1, 2, 3])
  })

  it('goes on after the last one of a user who waits already', () => {
    expect(giveRounds({ firstWaiting: 4, ownLast: 500 }, 2)).toEqual([501, 502])
  })

  it('lets a user who comes later begin in the round that is next', () => {
    expect(giveRounds({ firstWaiting: 251, ownLast: 0 }, 2)).toEqual([251, 252])
  })

  it('stays within what a priority may be', () => {
    const sights = fc.record({
      firstWaiting: fc.option(fc.integer({ min: 1, max: LAST_ROUND }), { nil: undefined }),
      ownLast: fc.oneof(fc.integer({ min: 0, max: LAST_ROUND }), fc.constant(LAST_ROUND - 1)),
    })
    fc.assert(
      fc.property(sights, fc.integer({ min: 1, max: 100 }), (sight, segments) => {
        const rounds = giveRounds(sight, segments)
        expect(rounds).toHaveLength(segments)
        for (const round of rounds) expect(round >= 1 && round <= LAST_ROUND).toBe(true)
        expect(rounds).toEqual(rounds.toSorted((a, b) => a - b))
      }),
    )
  })
})

/** A queue of priorities, in memory: the lowest first, equals in order of arrival. */
class ModelQueue {
  readonly #waiting: { user: number; round: number; arrival: number }[] = []
  readonly #lastRounds = new Map<number, number>()
  #arrivals = 0

  add(user: number, segments: number): void {
    const rounds = this.#waiting.map(({ round }) => round)
    const firstWaiting = rounds.length === 0 ? undefined : Math.min(...rounds)
    const ownLast = this.waitingOf(user) === 0 ? 0 : (this.#lastRounds.get(user) ?? 0)
    for (const round of giveRounds({ firstWaiting, ownLast }, segments)) {
      this.#waiting.push({ user, round, arrival: this.#arrivals++ })
      this.#lastRounds.set(user, round)
    }
  }

  serve(): number | undefined {
    this.#waiting.sort((a, b) => a.round - b.round || a.arrival - b.arrival)
    return this.#waiting.shift()?.user
  }

  /** A deleted recording of the user leaves the queue; the rounds stay given. */
  remove(user: number): void {
    const index = this.#waiting.findLastIndex((segment) => segment.user === user)
    if (index >= 0) this.#waiting.splice(index, 1)
  }

  waitingOf(user: number): number {
    return this.#waiting.filter((segment) => segment.user === user).length
  }
}

const USERS = 4
const users = fc.nat(USERS - 1)
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('add'), user: users, segments: fc.nat(30) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('serve'), user: users, segments: fc.nat(8) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove'), user: users, segments: fc.nat(5) }) },
  ),
  { maxLength: 40 },
)

function play(queue: ModelQueue, story: readonly { do: string; user: number; segments: number }[]): void {
  for (const step of story) {
    if (step.do === 'add') {
      if (step.segments > 0) queue.add(step.user, step.segments)
      continue
    }
    for (let turn = 0; turn < step.segments; turn++) {
      if (step.do === 'serve') queue.serve()
      else queue.remove(step.user)
    }
  }
}

describe('a queue served by rounds', () => {
  it('serves a newcomer, whatever happened before, after at most one segment of each other user', () => {
    fc.assert(
      fc.property(steps, (story) => {
        const queue = new ModelQueue()
        play(queue, story)
        queue.add(USERS, 1)
        const before: (number | undefined)[] = []
        for (let next = queue.serve(); next !== USERS; next = queue.serve()) before.push(next)
        expect(new Set(before).size).toBe(before.length)
      }),
    )
  })

  it('serves two users whose work waits in turn, however much more one of them has', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 40 }), (many, few) => {
        const queue = new ModelQueue()
        queue.add(0, many)
        queue.serve()
        queue.add(1, few)
        const order: (number | undefined)[] = []
        for (let left = Math.min(many - 1, few) * 2; left > 0; left--) order.push(queue.serve())
        expect(order).toEqual(order.map((_, index) => index % 2))
      }),
    )
  })

  it('makes nobody wait for what was done in an earlier busy time', () => {
    const queue = new ModelQueue()
    queue.add(0, 500)
    for (let served = 0; served < 500; served++) queue.serve()
    queue.add(1, 500)
    queue.add(0, 1)
    expect([queue.serve(), queue.serve()]).toEqual([1, 0])
  })
})
