/** What deleting, expiring and failing have in common: the record stays, its segments and chunks go, and workers are told. */
import type pg from 'pg'

/** PostgreSQL's notification channel on which workers hear that a record needs no more work; the payload is its key. */
export const CANCEL_CHANNEL = 'wavemill_cancel'

/**
 * Shuts the fence of every segment: until the transaction ends, nobody writes a chunk or takes a segment of the record.
 * Must come before the record's own row is locked.
 */
export async function lockSegments(client: pg.PoolClient, recordKey: bigint): Promise<void> {
  await client.query('SELECT FROM segment WHERE record_key = $1 ORDER BY seq FOR UPDATE', [recordKey])
}

/** Removes the segments and chunks, whose locks the caller holds, and tells the workers when the transaction commits. */
export async function removeContent(client: pg.PoolClient, recordKey: bigint): Promise<void> {
  await client.query('DELETE FROM segment WHERE record_key = $1', [recordKey])
  await client.query('DELETE FROM chunk WHERE record_key = $1', [recordKey])
  await client.query('SELECT pg_notify($1, $2)', [CANCEL_CHANNEL, recordKey.toString()])
}
