/** What every part of the suite works with. */
import type { WavStore } from '@wavemill/core/wav-store'
import type { Database } from '@wavemill/prisma/database'
import type { User } from './client.ts'
import type { Fleet } from './fleet.ts'
import type { Ledger } from './ledger.ts'
import type { Recording } from './recordings.ts'

export interface Site {
  readonly fleet: Fleet
  /** The fleet's own database, by a way that no fault cuts. */
  readonly db: Database
  readonly wavStore: WavStore
  readonly ledger: Ledger
  readonly users: readonly User[]
  /** The first one is the shortest. */
  readonly recordings: readonly [Recording, ...Recording[]]
  /** SHA-256 of the MP3 that must come of each recording, by its name. */
  readonly references: ReadonlyMap<string, string>
}

/** How a moment of the suite is bounded where nothing else bounds it. */
export const PATIENCE_MS = 90_000
