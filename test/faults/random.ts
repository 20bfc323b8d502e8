/** Chance that can be repeated: numbers that depend on a seed, and on what they are for, and on nothing else. */
import { createHash } from 'node:crypto'

export interface Random {
  /** A whole number, both ends included. */
  between(least: number, most: number): number
  pick<T>(choices: readonly T[]): T
  shuffle<T>(items: readonly T[]): T[]
}

/** @param purposes tell apart what must not share its numbers, such as a round and a client in it. */
export function createRandom(seed: number, ...purposes: readonly (string | number)[]): Random {
  let state = createHash('sha256')
    .update([seed, ...purposes].join('/'))
    .digest()
    .readInt32LE(0)

  /** Mulberry32: 0 to 1. */
  function next(): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  function between(least: number, most: number): number {
    return least + Math.floor(next() * (most - least + 1))
  }
  return {
    between,
    pick(choices) {
      const choice = choices[between(0, choices.length - 1)]
      if (choice === undefined) throw new RangeError('There is nothing to pick from')
      return choice
    },
    shuffle(items) {
      return items
        .map((item) => ({ item, place: next() }))
        .sort((a, b) => a.place - b.place)
        .map(({ item }) => item)
    },
  }
}
