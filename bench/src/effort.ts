/** Reads the command line of `npm run bench`: which parts to run, and how much of each. */
import { parseArgs } from 'node:util'

export interface Effort {
  /** How often Wavemill and the plain tool take turns; undefined: as often as the part itself holds for enough. */
  readonly rounds?: number
  /** The share of a long recording's length, or of many recordings' count, that is used: 1, or 0.1 for a quick try. */
  readonly share: number
}

/**
 * `[part...] [--quick] [--rounds N]`.
 *
 * @throws TypeError for an option that does not exist, RangeError for a number of rounds that is none.
 */
export function parseCommandLine(args: readonly string[]): { parts: string[]; effort: Effort } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' } },
  })
  const share = values.quick ? 0.1 : 1
  if (values.rounds === undefined) return { parts: positionals, effort: { share } }
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new RangeError(`--rounds wants a whole number from 1 on, not ${values.rounds}`)
  }
  return { parts: positionals, effort: { share, rounds } }
}
