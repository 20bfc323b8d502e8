/** Lets a few upload bodies of one address be read at once; the others wait for their turn, in the order in which they came. */
import { Problem } from './problem.ts'

export interface BodyTurns {
  /**
   * Waits for a turn. The returned function gives it on to the next; a second call does nothing.
   *
   * @param gone aborts when its client went away.
   * @throws Problem `too-many-uploads` if too many wait already; the signal's reason if it is aborted first.
   */
  take(address: string, gone: AbortSignal): Promise<() => void>
}

interface Place {
  reading: number
  /** Each is called when its turn has come. */
  readonly line: Set<() => void>
}

/** @param atOnce Infinity lets everybody in. @param inLine how many of one address may wait. */
export function createBodyTurns({ atOnce, inLine }: { atOnce: number; inLine: number }): BodyTurns {
  const places = new Map<string, Place>()

  function leave(address: string, place: Place): void {
    const [next] = place.line
    if (next !== undefined) {
      place.line.delete(next)
      next() // takes over: as many are read as before
      return
    }
    place.reading -= 1
    if (place.reading === 0) places.delete(address)
  }

  return {
    async take(address, gone) {
      gone.throwIfAborted()
      const place = places.get(address) ?? { reading: 0, line: new Set() }
      places.set(address, place)
      if (place.reading < atOnce) place.reading += 1
      else await waitInLine(place.line, inLine, gone)
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        leave(address, place)
      }
    },
  }
}

function waitInLine(line: Set<() => void>, most: number, gone: AbortSignal): Promise<void> {
  if (line.size >= most) {
    const detail = 'Too many uploads at once from your address. Try again in a moment.'
    throw new Problem('too-many-uploads', detail, { headers: { 'retry-after': '10' } })
  }
  return new Promise((resolve, reject) => {
    function begin(): void {
      gone.removeEventListener('abort', giveUp)
      resolve()
    }
    function giveUp(): void {
      line.delete(begin)
      reject(gone.reason)
    }
    line.add(begin)
    gone.addEventListener('abort', giveUp, { once: true })
  })
}
