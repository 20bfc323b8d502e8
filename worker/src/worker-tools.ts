/** What the steps of a worker's work share: made by a main, handed down as an argument. */
import type { Log } from '@wavemill/core/log'
import type { WavStore } from '@wavemill/core/wav-store'
import type { Database } from '@wavemill/prisma/database'

export interface WorkerTools {
  readonly db: Database
  readonly wavStore: WavStore
  readonly log: Log
  /** Which process this is, as the segment rows name it. */
  readonly workerName: string
  readonly ffmpegPath: string
  /** Errors of the transcode that a segment is allowed before its recording fails. */
  readonly segmentAttempts: number
  /** How long an ffmpeg may give nothing before it is killed. @defaultValue 30 s */
  readonly stallLimitMs?: number
}
