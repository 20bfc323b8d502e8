/** Fair queueing: which round of the queue a user's next segments are served in (docs/decisions/0011-fair-rounds.md). */

/** The last round there is: BullMQ knows no lower priority. Whoever gets it more than once is served in order of arrival. */
export const LAST_ROUND = 2_097_151

/** What the queue looks like to a user at the moment of an upload. */
export interface QueueSight {
  /** The smallest round that waits for its first attempt, of all users; undefined if nothing waits. */
  readonly firstWaiting: number | undefined
  /** The last round that this user was given, while something of theirs still waits; 0 otherwise. */
  readonly ownLast: number
}

/**
 * Gives rounds to segments that a user adds, one each: the larger of the round being served and the user's own last one,
 * plus 1. So a user's work is spread over as many rounds as it has segments, and who comes later begins in the round
 * that is next. As soon as nothing waits, rounds begin with 1 again.
 *
 * @param segments how many.
 * @returns a round for each, 1..LAST_ROUND, in order; also the job's priority.
 */
export function giveRounds({ firstWaiting = 1, ownLast }: QueueSight, segments: number): number[] {
  // Everything before the first that waits has been served.
  const last = Math.max(firstWaiting - 1, ownLast)
  return Array.from({ length: segments }, (_, index) => Math.min(last + 1 + index, LAST_ROUND))
}
