/** Records: one uploaded recording each, from its insertion to its tombstone. */
import type { PcmSource } from '@wavemill/core/pcm-source'
import type { PlannedSegment } from '@wavemill/core/segment-plan'
import pg from 'pg'
import { connectionConfig, type Database } from './database.ts'
import type { Prisma, Record as RecordRow, RecordStatus } from './generated/client.ts'
import { lockSegments, removeContent } from './remove-content.ts'
import { inTransaction } from './transaction.ts'

/** A record and its plan, as an upload makes it. */
export interface NewRecord {
  /** From {@link reserveRecordKey}. */
  readonly key: bigint
  /** A random UUID: the secret of the link. */
  readonly id: string
  readonly userId: string
  readonly fileName: string
  /** Anything that JSON can hold. */
  readonly options: object
  readonly warnings: readonly string[]
  readonly codec: string
  readonly source: PcmSource
  /** Of one channel. */
  readonly samples: number
  readonly wavBytes: number
  readonly wavSha256: Buffer
  readonly segments: readonly PlannedSegment[]
  /** Kept for ever without it. */
  readonly expiresAt?: Date | undefined
}

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

/** A key for a record to come: its WAV is stored under it before the row exists. A key that stays unused does no harm. */
export async function reserveRecordKey(db: Database): Promise<bigint> {
  const rows = await db.prisma.$queryRaw<{ key: bigint }[]>`
    SELECT nextval(pg_get_serial_sequence('record', 'key')) AS key`
  const [row] = rows
  if (row === undefined) throw new Error('PostgreSQL gave no key')
  return row.key
}

/**
 * Writes a record and its segments in one transaction. The WAV must be durable by then.
 *
 * @throws if nothing was written; but an error of a database that went away leaves that open: see {@link wasRecordInserted}.
 */
export async function insertRecord(db: Database, record: NewRecord): Promise<void> {
  const { source, segments } = record
  await db.prisma.$transaction([
    lockKey(db.prisma, record.key),
    db.prisma.record.create({
      select: { key: true },
      data: {
        key: record.key,
        id: record.id,
        userId: record.userId,
        fileName: record.fileName,
        options: toJson(record.options),
        warnings: [...record.warnings],
        codec: record.codec,
        sampleRate: source.sampleRate,
        channels: source.channels,
        bitsPerSample: source.bitsPerSample,
        source: toJson(source),
        samples: BigInt(record.samples),
        wavBytes: BigInt(record.wavBytes),
        wavSha256: Uint8Array.from(record.wavSha256),
        segmentsTotal: segments.length,
        expiresAt: record.expiresAt ?? null,
      },
    }),
    db.prisma.segment.createMany({
      data: segments.map(({ seq, startByte, endByte, firstFrame, frames, warmUpFrames }) => ({
        recordKey: record.key,
        seq,
        startByte: BigInt(startByte),
        endByte: BigInt(endByte),
        firstFrame,
        frames,
        warmUpFrames,
      })),
    }),
  ])
}

/** A plain copy, as Prisma's types want it; what is undefined falls away. */
function toJson(value: object): Prisma.InputJsonObject {
  return JSON.parse(JSON.stringify(value))
}

// The first half of a pair of numbers that names an advisory lock; any that nobody else uses.
const INSERTION_LOCK = 735_190

/** Held while a record is inserted, until its transaction has ended in one way or the other. */
function lockKey(prisma: Database['prisma'], key: bigint) {
  return prisma.$executeRaw`SELECT pg_advisory_xact_lock(${INSERTION_LOCK}::int, ${keyHash(key)}::int)`
}

function keyHash(key: bigint): number {
  return Number(key % 2_147_483_648n)
}

/**
 * Tells for sure whether an insertion was committed whose connection broke, on a new connection: it waits for a
 * transaction that may still be under way, which the server ends by itself after 10 idle seconds.
 *
 * @throws if the database is still away: then nobody knows.
 */
export async function wasRecordInserted(url: string, key: bigint): Promise<boolean> {
  const client = new pg.Client(connectionConfig(url))
  client.on('error', () => {}) // the query under way rejects as well
  try {
    await client.connect()
    await client.query('SELECT pg_advisory_lock($1::int, $2::int)', [INSERTION_LOCK, keyHash(key)])
    const { rowCount } = await client.query('SELECT FROM record WHERE key = $1', [key])
    return rowCount === 1
  } finally {
    await client.end()
  }
}

/**
 * The record of a link; also a deleted or expired one, as long as its tombstone stands.
 *
 * @param link both UUIDs.
 */
export async function findRecord(
  db: Database,
  link: { id: string; userId: string },
): Promise<RecordState | undefined> {
  const record = await db.prisma.record.findUnique({ where: { id: link.id, userId: link.userId } })
  return record === null ? undefined : toRecordState(record)
}

function toRecordState(record: RecordRow): RecordState {
  return {
    key: record.key,
    id: record.id,
    userId: record.userId,
    status: record.status,
    failureCode: record.failureCode ?? undefined,
    failureDetail: record.failureDetail ?? undefined,
    warnings: record.warnings,
    fileName: record.fileName,
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

/** How many unfinished records came before this one. */
export async function countBefore(db: Database, key: bigint): Promise<number> {
  return await db.prisma.record.count({
    where: { key: { lt: key }, status: { in: ['queued', 'processing'] } },
  })
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
  return inTransaction(db.pool, async (client) => {
    await lockSegments(client, key)
    const { rowCount } = await client.query(
      `UPDATE record SET status = $2, removed_at = now(), file_name = '', options = '{}', warnings = '{}',
         failure_code = NULL, failure_detail = NULL
       WHERE key = $1 AND status NOT IN ('deleted', 'expired')`,
      [key, status],
    )
    if (rowCount === 0) return false
    await removeContent(client, key)
    return true
  })
}
