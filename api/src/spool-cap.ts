/** Bounds how many uploads are taken at once before it is known whose they are. */
import type { Limits } from './parts.ts'
import { Problem } from './problem.ts'

export interface SpoolCap {
  /**
   * Takes a place for an upload from `address`. The returned function gives it back; a second call does nothing.
   *
   * @throws Problem `too-many-uploads` if this address has too many, `unavailable` if all have.
   */
  take(address: string): () => void
}

export function createSpoolCap(limits: Pick<Limits, 'spooledForEachAddress' | 'spooledInAll'>): SpoolCap {
  const taken = new Map<string, number>()
  let inAll = 0
  const hint =
    'Send user and token before the file, or the token as a Bearer header, and there is no such limit.'
  const headers = { 'retry-after': '10' }

  return {
    take(address) {
      const own = taken.get(address) ?? 0
      if (own >= limits.spooledForEachAddress) {
        const detail = `Too many uploads at once from your address with the file first. ${hint}`
        throw new Problem('too-many-uploads', detail, { headers })
      }
      if (inAll >= limits.spooledInAll) {
        throw new Problem('unavailable', `Too many uploads at once with the file first. ${hint}`, { headers })
      }
      inAll += 1
      taken.set(address, own + 1)
      let held = true
      return () => {
        if (!held) return
        held = false
        inAll -= 1
        const left = (taken.get(address) ?? 1) - 1
        if (left === 0) taken.delete(address)
        else taken.set(address, left)
      }
    },
  }
}
