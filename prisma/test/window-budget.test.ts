/** How the memory of downloads is shared out. */
import { expect, test } from 'vitest'
import { createWindowBudget } from '../src/window-budget.ts'

const MIB = 1_048_576

test('one reader gets 2 MiB, or what it wants where that is less', () => {
  const budget = createWindowBudget()
  expect(budget.take(100 * MIB).bytes).toBe(2 * MIB)
  expect(createWindowBudget().take(49_000).bytes).toBe(49_000)
})

test('however many come, none gets nothing, and all of them together hold little more than 16 MiB', () => {
  const budget = createWindowBudget()
  const windows = Array.from({ length: 200 }, () => budget.take(100 * MIB))
  expect(Math.min(...windows.map(({ bytes }) => bytes))).toBe(MIB / 4)
  expect(windows.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan((16 + 200 / 4) * MIB)
  for (const window of windows) window.release()
  expect(budget.take(100 * MIB).bytes).toBe(2 * MIB)
})
