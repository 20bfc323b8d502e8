/** What broken uploads left in the WAV store is made old, and must then be gone. */
import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PATIENCE_MS, type Site } from './site.ts'

const LONG_AGO_MS = 2 * 3_600_000

/** @returns a sentence about each file that is still there. */
export async function findLeftovers({ wavStore, fleet }: Site): Promise<string[]> {
  const longAgo = new Date(Date.now() - LONG_AGO_MS)
  for (const { name } of await wavStore.list()) {
    // The reconciler may be just about to remove it.
    await utimes(join(fleet.wavDir, name), longAgo, longAgo).catch(() => {})
  }
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const left = await wavStore.list()
    if (left.length === 0 || Date.now() > deadline)
      return left.map(({ name }) => `${name} is left in the WAV store`)
    await sleep(100)
  }
}
