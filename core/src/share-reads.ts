/** Shares one reading among all who ask for the same thing at the same time. */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** @param key names what is asked for; all who ask for it give the same `read`. */
export type SharedReads<Value> = (key: string, read: () => Promise<Value>) => Promise<Value>

/**
 * Nobody gets a reading that began before they asked, so it is never older than the question. At most one for each key
 * is under way; all who ask meanwhile share the next.
 */
export function createSharedReads<Value>(): SharedReads<Value> {
  /** Not begun: open to more who ask. */
  const next = new Map<string, Promise<Value>>()
  const underWay = new Map<string, Promise<Value>>()

  async function readNext(key: string, read: () => Promise<Value>): Promise<Value> {
    await nextTurn() // all whom one notice woke ask within one turn
    while (underWay.has(key)) await underWay.get(key)?.catch(() => undefined)
    next.delete(key)
    const reading = read()
    underWay.set(key, reading)
    try {
      return await reading
    } finally {
      underWay.delete(key)
    }
  }

  return (key, read) => {
    const open = next.get(key)
    if (open !== undefined) return open
    const reading = readNext(key, read)
    next.set(key, reading)
    return reading
  }
}
