/** Takes a backup, also while the service runs: one snapshot of the database, and the WAVs of all that waits in it. */

import type { Log } from '@wavemill/core/log'
import { createWavLinks, type WavLinks } from '@wavemill/core/wav-links'
import type { WavStore } from '@wavemill/core/wav-store'
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import type { ArchiveEntry } from './backup-archive.ts'
import { appliedMigrations, backupTables, withBackupConnection } from './backup-connection.ts'
import {
  type BackupCounts,
  createArchiveDigest,
  endEntry,
  manifestEntry,
  rowsEntry,
  wavEntry,
} from './backup-contents.ts'
import { BackupError } from './backup-error.ts'

/** Any number that nobody else locks with. */
const BACKUP_LOCK = 7_351_900_003
const PART_BYTES = 4 * 1_048_576

export interface BackupOptions {
  readonly url: string
  readonly wavStore: WavStore
  readonly log: Log
}

export interface Backup extends BackupCounts {
  /** Recordings that wait, and whose WAV was gone before: a restored service fails them too, with `source-lost`. */
  readonly lostWavs: readonly bigint[]
}

/**
 * @param write is given the entries of the backup, and must have read all of them when it resolves.
 * @throws BackupError if another one is being taken; or what fails.
 */
export function takeBackup(
  { url, wavStore, log }: BackupOptions,
  write: (entries: AsyncIterable<ArchiveEntry>) => Promise<void>,
): Promise<Backup> {
  return withBackupConnection({ url, name: 'wavemill backup', log }, async (client) => {
    await lockOutOthers(client)
    const links = await createWavLinks(wavStore)
    try {
      const snapshot = await takeSnapshot(client, links)
      const counts = { rows: {}, wavs: snapshot.wavKeys.length }
      await write(entriesOf(client, snapshot.wavKeys, links, counts))
      return { ...counts, lostWavs: snapshot.lostWavs }
    } finally {
      await links.close()
    }
  })
}

async function lockOutOthers(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ is_ours: boolean }>('SELECT pg_try_advisory_lock($1) AS is_ours', [
    BACKUP_LOCK,
  ])
  if (rows[0]?.is_ours !== true) throw new BackupError('Another backup is being taken')
}

/**
 * Leaves the connection in a transaction that sees one moment, all of whose waiting WAVs are linked.
 *
 * A WAV that is not there was removed since, because its recording is ready or deleted: then a later moment is looked at,
 * until nothing is missing but what was missing before.
 */
async function takeSnapshot(
  client: pg.Client,
  links: WavLinks,
): Promise<{ wavKeys: bigint[]; lostWavs: bigint[] }> {
  let suspected = new Set<bigint>()
  for (;;) {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const { rows } = await client.query<{ key: string }>(
      `SELECT key FROM record WHERE status IN ('queued', 'processing') ORDER BY key`,
    )
    const waiting = rows.map(({ key }) => BigInt(key))
    const missing = new Set(await links.add(waiting))
    if ([...missing].every((key) => suspected.has(key))) {
      return { wavKeys: waiting.filter((key) => !missing.has(key)), lostWavs: [...missing] }
    }
    suspected = missing
    await client.query('ROLLBACK')
  }
}

/** Counts in `counts` what it gave. */
async function* entriesOf(
  client: pg.Client,
  wavKeys: readonly bigint[],
  links: WavLinks,
  counts: { rows: Record<string, number>; wavs: number },
): AsyncGenerator<ArchiveEntry> {
  const digest = createArchiveDigest()
  yield digest.over(await describeSnapshot(client))
  for (const key of wavKeys) {
    yield digest.over(wavEntry(key, await links.size(key), links.open(key)))
    await links.remove(key)
  }
  for (const { name, target } of await backupTables(client)) {
    const copy = client.query(copyTo(`COPY ${target} TO STDOUT (FORMAT binary)`))
    let part = 0
    for await (const content of inParts(copy)) yield digest.over(rowsEntry(name, part++, content))
    await client.query('SELECT') // the count comes after the last byte
    counts.rows[name] = copy.rowCount
  }
  yield endEntry({ ...counts, sha256: digest.hex() })
}

async function describeSnapshot(client: pg.Client): Promise<ArchiveEntry> {
  // A sequence knows no snapshot: it is at least as far as the records are.
  const { rows } = await client.query<{ made_at: Date; last_value: string }>(
    'SELECT now() AS made_at, last_value FROM record_key_seq',
  )
  const [row] = rows
  if (row === undefined) throw new Error('The sequence of the record keys is gone')
  return manifestEntry({
    migrations: await appliedMigrations(client),
    madeAt: row.made_at.toISOString(),
    lastRecordKey: row.last_value,
  })
}

async function* inParts(blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer[]> {
  let part: Buffer[] = []
  let bytes = 0
  for await (const block of blocks) {
    part.push(block)
    bytes += block.byteLength
    if (bytes < PART_BYTES) continue
    yield part
    part = []
    bytes = 0
  }
  if (bytes > 0) yield part
}
