/** The figure of a process's memory at work over what it holds when idle, in the strictest reading of both. */
import { type Figure, withUnit } from './figures.ts'

export interface MemoryRound {
  /** Just before the work began. */
  readonly idleMb: number
  /** The most that was held during it. */
  readonly peakMb: number
}

/**
 * The worst peak of all rounds over the lowest idle of all: what a start or an earlier round left behind, and V8 has not yet
 * given back, must not pass for idle. Every value is told.
 */
export function memoryFigure(what: string, rounds: readonly MemoryRound[], bar: number): Figure {
  const peaksMb = rounds.map((round) => round.peakMb)
  const idlesMb = rounds.map((round) => round.idleMb)
  const told = (values: readonly number[]) => values.map((value) => withUnit(value, 'MB')).join(', ')
  return {
    what,
    detail: `peaks ${told(peaksMb)}; idle before ${told(idlesMb)}`,
    value: Math.max(...peaksMb) - Math.min(...idlesMb),
    unit: 'MB',
    bar,
  }
}
