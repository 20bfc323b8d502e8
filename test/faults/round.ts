/** One round: a steady load, a fault in the middle of it, the time until all is well again, quiet, and judgement. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type FaultKind, faultKinds } from './faults.ts'
import { clear, judge, type Verdict } from './judge.ts'
import { startLoad } from './load.ts'
import { createRandom } from './random.ts'
import { untilNormal, untilQuiet } from './recovery.ts'
import type { Site } from './site.ts'

export interface Round {
  readonly seed: number
  /** From 1. */
  readonly number: number
}

export interface RoundResult extends Verdict {
  readonly fault: FaultKind
  /** From the fault's end until the service is its old self, in milliseconds. */
  readonly normalAfterMs: number
  /** Of the whole round. */
  readonly tookMs: number
  readonly refused: number
}

/** Each kind that is possible comes once before any comes again. It depends on the round alone. */
export function faultOfRound({ seed, number }: Round, possible: readonly FaultKind[]): FaultKind {
  const turn = Math.floor((number - 1) / possible.length)
  const fault = createRandom(seed, 'faults', turn).shuffle(possible)[(number - 1) % possible.length]
  if (fault === undefined) throw new RangeError('No fault is possible')
  return fault
}

export function possibleFaults({ redis, hasSmallDisk }: Site['fleet']): FaultKind[] {
  return faultKinds.filter(({ needs }) => {
    if (needs === 'redis') return redis !== undefined
    return needs !== 'small-disk' || hasSmallDisk
  })
}

/** @throws Error if the service does not come back, or does not become quiet. */
export async function runRound(site: Site, round: Round, fault: FaultKind): Promise<RoundResult> {
  const startedAt = performance.now()
  const { seed, number } = round
  const random = createRandom(seed, 'round', number)
  const refusedBefore = site.ledger.refused
  const load = startLoad(site, (client) => createRandom(seed, 'round', number, client), fault.tolerance)
  let normalAfterMs: number
  try {
    await sleep(random.between(500, 2_500))
    await fault.strike(site, random)
    const endedAt = performance.now()
    await untilNormal(site)
    normalAfterMs = performance.now() - endedAt
  } finally {
    await load.stop()
  }
  await untilQuiet(site)
  const verdict = await judge(site)
  const wrong = [...verdict.wrong, ...(await clear(site))]
  const refused = site.ledger.refused - refusedBefore
  return { ...verdict, wrong, fault, normalAfterMs, refused, tookMs: performance.now() - startedAt }
}
