/** What a client may meet while something is broken; whatever else it meets is a finding. */
import type { Answer } from './ask.ts'

export interface Tolerance {
  /** Statuses with which the service may say that it cannot do it now. */
  readonly refusals: readonly number[]
  /** Where a connection may end without a whole answer. */
  readonly broken: 'nothing' | 'downloads' | 'anything'
}

/** A part that nobody sees is broken: clients must not notice. */
export const unnoticed: Tolerance = { refusals: [], broken: 'nothing' }
/** The database is: a download that had begun cannot go on. */
export const databaseAway: Tolerance = { refusals: [503], broken: 'downloads' }

/** @returns what is wrong with an answer; undefined if nothing is. */
export function refusal(
  answer: Answer,
  tolerance: Tolerance,
  expected: readonly number[],
): string | undefined {
  const { status, headers } = answer
  if (expected.includes(status)) return undefined
  if (!tolerance.refusals.includes(status)) return `${status} ${answer.body.subarray(0, 300)}`
  if (status === 503 && headers['retry-after'] === undefined) return '503 without Retry-After'
  return undefined
}
