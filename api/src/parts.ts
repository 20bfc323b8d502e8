/** What the API is built from: everything is made by the main (or a test) and handed in. */
import type { SegmentQueue } from '@wavemill/core/queue'
import type { Settings } from '@wavemill/core/settings'
import type { WavStore } from '@wavemill/core/wav-store'
import type { Database } from '@wavemill/prisma/database'
import type { FastifyBaseLogger } from 'fastify'
import type { RecordWatch } from './record-watch.ts'

/** The settings of a process that has a database. */
export type ApiSettings = Settings & { readonly databaseUrl: string }

export interface AppParts {
  readonly db: Database
  readonly wavStore: WavStore
  readonly queue: SegmentQueue
  readonly watch: RecordWatch
  readonly log: FastifyBaseLogger
  readonly settings: ApiSettings
  /** Only tests give other bounds than {@link defaultLimits}. */
  readonly limits?: Partial<Limits>
}

/** Bounds on what one request may cost. */
export interface Limits {
  /** A request's head must have come within this time. */
  readonly headMs: number
  /** A connection on which nothing moves for this long is cut. */
  readonly idleMs: number
  /** A body must bring `minBodyBytes` in each such period, or it counts as stalled and is cut. */
  readonly bodyPeriodMs: number
  readonly minBodyBytes: number
  /** How long, and how much of, the rest of a refused body is still read and thrown away. */
  readonly lingerMs: number
  readonly lingerBytes: number
  /** Uploads whose file comes before user and token, at once: for each address, and in all. */
  readonly spooledForEachAddress: number
  readonly spooledInAll: number
  /** Uploads of one address that wait for their turn, beside those that are read. */
  readonly uploadsInLine: number
  /** Where the event loop is late by so much on average, what costs is refused. */
  readonly maxEventLoopDelayMs: number
  /** An event stream on which nothing happens says so after this time; less than `idleMs`, or it would be cut. */
  readonly heartbeatMs: number
  /** How long an upload whose process died still holds its idempotency key. One that runs renews its hold. */
  readonly keyHoldMs: number
}

/** A stalled upload is cut after at most 90 s: the reconciler removes a draft that was not written to for 120 s. */
export const defaultLimits: Limits = {
  headMs: 30_000,
  idleMs: 90_000,
  bodyPeriodMs: 45_000,
  minBodyBytes: 16 * 1024,
  lingerMs: 10_000,
  lingerBytes: 256 * 1_048_576,
  spooledForEachAddress: 2,
  spooledInAll: 8,
  uploadsInLine: 128,
  maxEventLoopDelayMs: 1_000,
  heartbeatMs: 15_000,
  keyHoldMs: 6_000,
}
