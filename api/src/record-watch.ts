/** Hears of every record's changes on one connection, and wakes whoever waits for one. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@wavemill/core/log'
import { RECORD_CHANNEL } from '@wavemill/prisma/announce'
import { listen } from '@wavemill/prisma/listen'

/** After an outage so many records are read again at a time: thousands at once would hold up everybody else. */
const TOGETHER = 50
const PAUSE_MS = 25

export interface RecordWatch {
  /**
   * Calls `onChange` whenever the record may have changed: on an announcement, and when the connection was made again,
   * because announcements may have been missed. Read the state after subscribing, and nothing is.
   *
   * @returns what ends it.
   */
  subscribe(key: bigint, onChange: () => void): () => void
  /** How many are subscribed. */
  readonly size: number
  /** Subscribers hear nothing any more. */
  close(): Promise<void>
}

/** Begins to listen as soon as the database answers. The caller closes it. */
export function openRecordWatch({
  databaseUrl,
  log,
}: {
  readonly databaseUrl: string
  readonly log: Log
}): RecordWatch {
  const subscribers = new Map<string, Set<() => void>>()
  let size = 0
  const wake = (some: ReadonlySet<() => void> | undefined) => {
    for (const onChange of some ?? []) onChange()
  }
  const listener = listen({
    url: databaseUrl,
    applicationName: 'wavemill record watch',
    channel: RECORD_CHANNEL,
    log,
    onNotice: (key) => wake(subscribers.get(key)),
    async onListening() {
      for (const [index, some] of [...subscribers.values()].entries()) {
        if (index % TOGETHER === TOGETHER - 1) await sleep(PAUSE_MS)
        wake(some)
      }
    },
  })
  return {
    subscribe(key, onChange) {
      const name = key.toString()
      const ofKey = subscribers.get(name) ?? new Set()
      subscribers.set(name, ofKey.add(onChange))
      size += 1
      return () => {
        if (!ofKey.delete(onChange)) return
        size -= 1
        if (ofKey.size === 0 && subscribers.get(name) === ofKey) subscribers.delete(name)
      }
    },
    get size() {
      return size
    },
    close: () => listener.close(),
  }
}
