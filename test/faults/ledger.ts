/** What the service has promised so far: every upload that was answered with 202, and what was done to it since. */
import type { Link } from './client.ts'
import type { Recording } from './recordings.ts'

export interface Entry extends Link {
  readonly recording: Recording
  /** `asked`: the answer did not come, so that both is right. */
  deletion: 'none' | 'asked' | 'done'
}

export interface Ledger {
  readonly entries: readonly Entry[]
  /** Ids of the records whose WAV the suite has taken away: they may be `source-lost`. */
  readonly robbed: Set<string>
  /** What clients were answered that they should not have been. */
  readonly complaints: string[]
  /** Uploads that had no answer, or one that promises nothing. */
  refused: number
  add(link: Link, recording: Recording): Entry
  /** Forgets what is judged and done with. */
  remove(entry: Entry): void
}

export function createLedger(): Ledger {
  const entries: Entry[] = []
  return {
    entries,
    robbed: new Set(),
    complaints: [],
    refused: 0,
    add({ id, user }, recording) {
      const entry: Entry = { id, user, recording, deletion: 'none' }
      entries.push(entry)
      return entry
    },
    remove(entry) {
      entries.splice(entries.indexOf(entry), 1)
    },
  }
}
