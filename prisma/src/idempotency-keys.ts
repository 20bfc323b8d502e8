/** Idempotency keys: an upload that runs holds its key for a few seconds at a time, and its record keeps it for a day. */
import type pg from 'pg'
import type { Database } from './database.ts'

/** Whose key it is, and which upload wants it. */
export interface KeyHold {
  readonly userId: string
  /** 1..255 characters. */
  readonly key: string
  /** A random UUID. */
  readonly uploadId: string
}

/** A key that an upload holds, and the options that the upload has, which its record keeps with the key. */
export interface HeldKey extends KeyHold {
  readonly optionsSha256: Buffer
}

/** What an earlier upload with a key made; its record may have been deleted since. */
export interface KeyedRecord {
  readonly id: string
  readonly userId: string
  readonly wavSha256: Buffer
  readonly optionsSha256: Buffer
}

/** Another upload with the same key made its record first. */
export class KeyAlreadyUsed extends Error {
  constructor() {
    super('The idempotency key was used meanwhile')
    this.name = 'KeyAlreadyUsed'
  }
}

/**
 * Holds a key from now on for so long, or holds on to it. Nobody tells that an upload's process died: its hold just lapses. One that
 * lapsed while the database was away may be taken by another upload; then the first of them to make a record has the key.
 *
 * @returns `busy` while another upload holds it; or what was made under it in the last 24 hours.
 */
export async function holdKey(
  db: Database,
  hold: KeyHold,
  holdMs: number,
): Promise<'held' | 'busy' | KeyedRecord> {
  for (;;) {
    const { rowCount } = await db.pool.query(
      `INSERT INTO idempotency_key AS had (user_id, key, upload_id, expires_at)
       VALUES ($1, $2, $3, now() + $4 * interval '1 millisecond')
       ON CONFLICT (user_id, key) DO UPDATE
         SET upload_id = EXCLUDED.upload_id, expires_at = EXCLUDED.expires_at, record_key = NULL, options_sha256 = NULL
         WHERE had.expires_at <= now() OR had.upload_id = EXCLUDED.upload_id AND had.record_key IS NULL`,
      [hold.userId, hold.key, hold.uploadId, holdMs],
    )
    if (rowCount === 1) return 'held'
    const found = await findKey(db, hold)
    if (found !== undefined) return found // otherwise it was given back between the two
  }
}

/** @returns undefined where nobody holds the key, and nothing was made under it. */
export async function findKey(
  db: Database,
  { userId, key }: Pick<KeyHold, 'userId' | 'key'>,
): Promise<'busy' | KeyedRecord | undefined> {
  const { rows } = await db.pool.query<{
    id: string | null
    wav_sha256: Buffer | null
    options_sha256: Buffer | null
  }>(
    `SELECT id, wav_sha256, options_sha256 FROM idempotency_key AS had LEFT JOIN record ON record.key = record_key
     WHERE had.user_id = $1 AND had.key = $2 AND had.expires_at > now()`,
    [userId, key],
  )
  const [row] = rows
  if (row === undefined) return undefined
  const { id, wav_sha256: wavSha256, options_sha256: optionsSha256 } = row
  if (id === null || wavSha256 === null || optionsSha256 === null) return 'busy'
  return { id, userId, wavSha256, optionsSha256 }
}

/** Gives a key back that came to nothing: it can be used again at once. */
export async function releaseKey(db: Database, { userId, key, uploadId }: KeyHold): Promise<void> {
  await db.pool.query(
    'DELETE FROM idempotency_key WHERE user_id = $1 AND key = $2 AND upload_id = $3 AND record_key IS NULL',
    [userId, key, uploadId],
  )
}

/**
 * Gives the key to the record, in the record's own transaction: so there is never one without the other. A hold that
 * lapsed does not matter, unless somebody else has made a record since.
 *
 * @throws KeyAlreadyUsed
 */
export async function giveKeyToRecord(
  client: pg.PoolClient,
  recordKey: bigint,
  { userId, key, uploadId, optionsSha256 }: HeldKey,
): Promise<void> {
  const { rowCount } = await client.query(
    `INSERT INTO idempotency_key AS had (user_id, key, upload_id, record_key, options_sha256, expires_at)
     VALUES ($1, $2, $3, $4, $5, now() + interval '24 hours')
     ON CONFLICT (user_id, key) DO UPDATE
       SET upload_id = EXCLUDED.upload_id, record_key = EXCLUDED.record_key, options_sha256 = EXCLUDED.options_sha256,
         expires_at = EXCLUDED.expires_at
       WHERE had.record_key IS NULL OR had.expires_at <= now()`,
    [userId, key, uploadId, recordKey, optionsSha256],
  )
  if (rowCount === 0) throw new KeyAlreadyUsed()
}

/** Forgets keys that count no more. @returns how many. */
export async function purgeKeys(db: Database, limit: number): Promise<number> {
  const { rowCount } = await db.pool.query(
    `DELETE FROM idempotency_key WHERE (user_id, key) IN (
       SELECT user_id, key FROM idempotency_key WHERE expires_at <= now() ORDER BY expires_at LIMIT $1)
     AND expires_at <= now()`, // once more: an upload may hold it again by now
    [limit],
  )
  return rowCount ?? 0
}
