/** Bounds how often an address may be wrong about the admin's password. */

/** So many guesses in a period, and then none until it is over. */
const WRONG_IN_PERIOD = 10
const PERIOD_MS = 60_000
/** Addresses that are remembered; the one whose period began first is forgotten for one more. */
const MOST_ADDRESSES = 10_000

export interface LoginAttempts {
  /** @returns how long this address must wait; 0: it may try. */
  msToWait(address: string): number
  noteWrong(address: string): void
}

/**
 * One address never keeps out another, and a period ends by itself however many tries come in it: nobody can lock the
 * admin out for ever, except from the address that they share.
 *
 * @param now milliseconds of a clock that only goes forward.
 */
export function createLoginAttempts(now: () => number = () => performance.now()): LoginAttempts {
  const periods = new Map<string, { wrong: number; readonly endsAt: number }>()

  function current(address: string) {
    const period = periods.get(address)
    if (period === undefined || period.endsAt > now()) return period
    periods.delete(address)
    return undefined
  }
  return {
    msToWait(address) {
      const period = current(address)
      return period === undefined || period.wrong < WRONG_IN_PERIOD ? 0 : period.endsAt - now()
    },
    noteWrong(address) {
      const period = current(address)
      if (period !== undefined) {
        period.wrong += 1
        return
      }
      const [oldest] = periods.keys()
      if (periods.size >= MOST_ADDRESSES && oldest !== undefined) periods.delete(oldest)
      periods.set(address, { wrong: 1, endsAt: now() + PERIOD_MS })
    },
  }
}
