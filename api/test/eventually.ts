/** Waits for what must come, however slow the machine is. */
import { vi } from 'vitest'

const GIVE_UP_AFTER_MS = 30_000

/** Runs the check again and again until it does not throw; throws what it threw last. */
export function eventually(check: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: GIVE_UP_AFTER_MS, interval: 20 })
}
