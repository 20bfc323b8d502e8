/** The command line of the benchmarks. */
import { describe, expect, it } from 'vitest'
import { parseCommandLine } from '../src/effort.ts'

describe('parseCommandLine', () => {
  it('takes parts and options in any order', () => {
    expect(parseCommandLine(['huge', '--rounds', '2', 'size', '--quick'])).toEqual({
      parts: ['huge', 'size'],
      effort: { share: 0.1, rounds: 2 },
    })
  })

  it('measures everything in full when nothing is said', () => {
    expect(parseCommandLine([])).toEqual({ parts: [], effort: { share: 1 } })
  })

  it.each(['0', '-1', '1.5', 'many', ''])('refuses %j as a number of rounds', (rounds) => {
    expect(() => parseCommandLine([`--rounds=${rounds}`])).toThrow(/whole number/)
  })

  it('refuses an option that does not exist', () => {
    expect(() => parseCommandLine(['--fast'])).toThrow(TypeError)
  })
})
