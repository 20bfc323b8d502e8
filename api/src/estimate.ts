/** Estimates how long a recording still takes, and says when asking again makes sense. */
import type { MeasuredSpeed } from '@wavemill/prisma/measure-speed'

/** Counts as if it had been measured too: there is a speed before the first recording, and tiny ones hardly change it. */
const ASSUMED: MeasuredSpeed = { audioSeconds: 60, busySeconds: 2 }
/** As users of a slow line and patient scripts like it: seldom, but not so seldom that a mistake hurts. */
const MAX_RETRY_SECONDS = 120

/**
 * @param audioSeconds what has yet to be transcoded until the recording is done, whatever comes before it included.
 * @returns whole seconds, at least 1.
 */
export function estimateSeconds(audioSeconds: number, measured: MeasuredSpeed): number {
  const speed = (measured.audioSeconds + ASSUMED.audioSeconds) / (measured.busySeconds + ASSUMED.busySeconds)
  return Math.max(1, Math.ceil(audioSeconds / speed))
}

/** Half of what it takes, for the estimate may be wrong: whoever keeps to it asks a few times, and late by little. */
export function retryAfterSeconds(estimatedSeconds: number): number {
  return Math.min(Math.ceil(estimatedSeconds / 2), MAX_RETRY_SECONDS)
}
