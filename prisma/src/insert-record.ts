/** Inserts a record and its segments, and can tell for sure whether an insertion that lost its connection was committed. */
import type { PcmSource } from '@wavemill/core/pcm-source'
import type { PlannedSegment } from '@wavemill/core/segment-plan'
import pg from 'pg'
import { connectionConfig, type Database } from './database.ts'
import { giveKeyToRecord, type HeldKey } from './idempotency-keys.ts'
import { checkQuota, noQuota, type Quota } from './quota.ts'
import { takeRounds } from './rounds.ts'
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
  /** The idempotency key of its upload. */
  readonly idempotencyKey?: HeldKey | undefined
}

/** A key for a record to come: its WAV is stored under it before the row exists. A key that stays unused does no harm. */
export async function reserveRecordKey(db: Database): Promise<bigint> {
  const rows = await db.prisma.$queryRaw<{ key: bigint }[]>`
    SELECT nextval(pg_get_serial_sequence('record', 'key')) AS key`
  const [row] = rows
  if (row === undefined) throw new Error('PostgreSQL gave no key')
  return row.key
}

// The first half of the pair of numbers that names a lock; any that nobody else uses.
const INSERTION_LOCK = 735_190

/**
 * Writes a record and its segments in one transaction. The WAV must be durable by then.
 *
 * @param quota what its user may have, this one included.
 * @returns the priority of each segment in the queue, in order.
 * @throws if nothing was written, QuotaExceeded where there is no room for it; but an error of a database that went away leaves that open: see {@link wasRecordInserted}.
 */
export function insertRecord(
  db: Database,
  record: NewRecord,
  quota: Quota = noQuota,
): Promise<readonly number[]> {
  return inTransaction(db.pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1::int, $2::int)', [
      INSERTION_LOCK,
      keyHash(record.key),
    ])
    const rounds = await takeRounds(client, record.userId, record.segments.length)
    await checkQuota(client, record.userId, quota, record.wavBytes) // the user's row is held from here on
    await insertRow(client, record)
    if (record.idempotencyKey !== undefined) await giveKeyToRecord(client, record.key, record.idempotencyKey)
    await insertSegments(client, record, rounds)
    return rounds
  })
}

async function insertRow(client: pg.PoolClient, record: NewRecord): Promise<void> {
  const { source } = record
  await client.query(
    `INSERT INTO record (key, id, user_id, file_name, options, warnings, codec, sample_rate, channels, bits_per_sample,
       source, samples, wav_bytes, wav_sha256, segments_total, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    [
      record.key,
      record.id,
      record.userId,
      record.fileName,
      record.options,
      record.warnings,
      record.codec,
      source.sampleRate,
      source.channels,
      source.bitsPerSample,
      source,
      record.samples,
      record.wavBytes,
      record.wavSha256,
      record.segments.length,
      record.expiresAt,
    ],
  )
}

/** One statement however many there are: a recording of a week has tens of thousands. */
async function insertSegments(
  client: pg.PoolClient,
  { key, segments }: NewRecord,
  rounds: readonly number[],
): Promise<void> {
  await client.query(
    `INSERT INTO segment (record_key, seq, start_byte, end_byte, first_frame, frames, warm_up_frames, round)
     SELECT $1, * FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::int[], $6::int[], $7::int[], $8::int[])`,
    [
      key,
      segments.map((segment) => segment.seq),
      segments.map((segment) => segment.startByte),
      segments.map((segment) => segment.endByte),
      segments.map((segment) => segment.firstFrame),
      segments.map((segment) => segment.frames),
      segments.map((segment) => segment.warmUpFrames),
      rounds,
    ],
  )
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

function keyHash(key: bigint): number {
  return Number(key % 2_147_483_648n)
}
