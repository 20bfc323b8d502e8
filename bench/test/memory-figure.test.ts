/** The figure of memory at work: no leftover of a start may make it look smaller. */
import { expect, it } from 'vitest'
import { memoryFigure } from '../src/memory-figure.ts'

it('compares the worst peak with the lowest idle, whichever rounds they are of', () => {
  const rounds = [
    { idleMb: 220, peakMb: 236 },
    { idleMb: 160, peakMb: 166 },
    { idleMb: 163, peakMb: 165 },
  ]
  expect(memoryFigure('memory', rounds, 80)).toMatchObject({ value: 236 - 160, unit: 'MB', bar: 80 })
})
