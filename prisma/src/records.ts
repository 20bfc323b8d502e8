/** Finds a record by its link, and deletes it; a tombstone stays. */
import type pg from 'pg'
import { ANNOUNCE } from './announce.ts'
import type { Database } from './database.ts'
import type { Record as RecordRow, RecordStatus } from './generated/client.ts'
import { lockSegments, removeContent } from './remove-content.ts'
import { inTransaction } from './transaction.ts'

/** Everything about a record that may be shown to whoever has its link. */
export interface RecordState {
  readonly key: bigint
  readonly id: string
  readonly userId: string
  readonly status: RecordStatus
  readonly failureCode: string | undefined
  readonly failureDetail: string | undefined
  readonly warnings: readonly string[]
  readonly fileName: string
  /** As core reads them: encode options and tags. */
  readonly options: unknown
  readonly codec: string
  readonly sampleRate: number
  readonly channels: number
  readonly bitsPerSample: number
  readonly samples: number
  readonly wavBytes: number
  readonly wavSha256: Buffer
  /** These two once it is ready. */
  readonly mp3Size: number | undefined
  readonly mp3Sha256: Buffer | undefined
  readonly segmentsDone: number
  readonly segmentsTotal: number
  /** 0..1. */
  readonly progress: number
  readonly createdAt: Date
  readonly startedAt: Date | undefined
  readonly readyAt: Date | undefined
  readonly expiresAt: Date | undefined
}

/** By SQL, and planned once for each connection: whoever polls asks for this and nothing else. Prisma took twice the time. */
const RECORD_OF_LINK = `
  SELECT key, id, user_id AS "userId", status, failure_code AS "failureCode", failure_detail AS "failureDetail",
    warnings, file_name AS "fileName", options, codec, sample_rate AS "sampleRate", channels,
    bits_per_sample AS "bitsPerSample", samples, wav_bytes AS "wavBytes", wav_sha256 AS "wavSha256",
    mp3_size AS "mp3Size", mp3_sha256 AS "mp3Sha256", segments_done AS "segmentsDone",
    segments_total AS "segmentsTotal", progress, created_at AS "createdAt", started_at AS "startedAt",
    ready_at AS "readyAt", expires_at AS "expiresAt"
  FROM record WHERE id = $1 AND user_id = $2`

/**
 * The record of a link; also a deleted or expired one, as long as its tombstone stands.
 *
 * @param link both UUIDs.
 */
export async function findRecord(
  db: Database,
  link: { id: string; userId: string },
): Promise<RecordState | undefined> {
  const values = [link.id, link.userId]
  const { rows } = await db.pool.query<LinkedRow>({ name: 'record-of-link', text: RECORD_OF_LINK, values })
  const [row] = rows
  if (row === undefined) return undefined
  const { key, samples, wavBytes, mp3Size } = row
  return toRecordState({
    ...row,
    key: BigInt(key),
    samples: BigInt(samples),
    wavBytes: BigInt(wavBytes),
    mp3Size: mp3Size === null ? null : BigInt(mp3Size),
  })
}

/** What a link tells of its record; pg reads 64-bit integers as text. */
type ShownRow = Omit<RecordRow, 'source' | 'removedAt'>
type LinkedRow = Omit<ShownRow, 'key' | 'samples' | 'wavBytes' | 'mp3Size'> & {
  readonly key: string
  readonly samples: string
  readonly wavBytes: string
  readonly mp3Size: string | null
}

/** A record's row as it may be shown. From the moment on at which it expires it has done so, also before the reconciler comes by. */
export function toRecordState(record: ShownRow, now = new Date()): RecordState {
  const isOver = record.expiresAt !== null && record.expiresAt <= now && record.status !== 'deleted'
  return {
    key: record.key,
    id: record.id,
    userId: record.userId,
    status: isOver ? 'expired' : record.status,
    failureCode: record.failureCode ?? undefined,
    failureDetail: record.failureDetail ?? undefined,
    warnings: record.warnings,
    fileName: record.fileName,
    options: record.options,
    codec: record.codec,
    sampleRate: record.sampleRate,
    channels: record.channels,
    bitsPerSample: record.bitsPerSample,
    samples: Number(record.samples),
    wavBytes: Number(record.wavBytes),
    wavSha256: Buffer.from(record.wavSha256),
    mp3Size: record.mp3Size === null ? undefined : Number(record.mp3Size),
    mp3Sha256: record.mp3Sha256 === null ? undefined : Buffer.from(record.mp3Sha256),
    segmentsDone: record.segmentsDone,
    segmentsTotal: record.segmentsTotal,
    progress: record.progress,
    createdAt: record.createdAt,
    startedAt: record.startedAt ?? undefined,
    readyAt: record.readyAt ?? undefined,
    expiresAt: record.expiresAt ?? undefined,
  }
}

/**
 * Deletes a record whatever its state: its segments and chunks go, running attempts are stopped, a tombstone stays.
 * The WAV is the caller's to remove.
 *
 * @returns false if there is none, or it was deleted or expired before.
 */
export function deleteRecord(db: Database, key: bigint): Promise<boolean> {
  return removeRecord(db, key, 'deleted')
}

/** As {@link deleteRecord}; of a tombstone only what tells nothing about the recording is left. */
export function removeRecord(db: Database, key: bigint, status: 'deleted' | 'expired'): Promise<boolean> {
  return inTransaction(db.pool, (client) => removeRecordIn(client, key, status))
}

/** {@link removeRecord} as a part of a transaction. */
export async function removeRecordIn(
  client: pg.PoolClient,
  key: bigint,
  status: 'deleted' | 'expired',
): Promise<boolean> {
  await lockSegments(client, key)
  const { rowCount } = await client.query(
    `UPDATE record SET status = $2, removed_at = now(), file_name = '', options = '{}', warnings = '{}',
       failure_code = NULL, failure_detail = NULL
     WHERE key = $1 AND status NOT IN ('deleted', 'expired') RETURNING ${ANNOUNCE}`,
    [key, status],
  )
  if (rowCount === 0) return false
  await removeContent(client, key)
  return true
}
