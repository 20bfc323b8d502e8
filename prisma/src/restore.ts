/** Restores a backup into an empty service: all of it in one transaction, or nothing. */
import type { Log } from '@wavemill/core/log'
import type { WavStore } from '@wavemill/core/wav-store'
import pg from 'pg'
import type { ArchiveEntry } from './backup-archive.ts'
import {
  appliedMigrations,
  type BackupTable,
  backupTables,
  withBackupConnection,
} from './backup-connection.ts'
import {
  type BackupCounts,
  createArchiveDigest,
  END,
  type End,
  MANIFEST,
  type Manifest,
  parseEntryName,
  readEnd,
  readManifest,
} from './backup-contents.ts'
import { BackupError, damaged } from './backup-error.ts'
import { openTableLoad, type TableLoad } from './table-load.ts'

export interface RestoreOptions {
  /** A migrated database, of which nobody else has a part open. */
  readonly url: string
  readonly wavStore: WavStore
  readonly log: Log
}

/**
 * Recordings that wait need nothing more: the reconciler of the first worker that starts queues them.
 *
 * @returns what was restored.
 * @throws BackupError if the service is not empty or runs, or the backup is of another version, cut off or damaged: then nothing
 * was restored. What else fails, such as a full disk, leaves nothing either, except where the connection broke at the very end: the
 * message then says that it is not known.
 */
export function restoreBackup(
  { url, wavStore, log }: RestoreOptions,
  entries: AsyncIterable<ArchiveEntry>,
): Promise<BackupCounts> {
  return withBackupConnection({ url, name: 'wavemill restore', log }, async (client) => {
    const wavKeys: bigint[] = []
    let isCommitting = false
    try {
      await client.query('BEGIN')
      const tables = await backupTables(client)
      await requireEmptyService(client, tables)
      const end = await loadEntries({ client, wavStore, tables, wavKeys }, entries)
      await handBackSegments(client)
      isCommitting = true
      await client.query('COMMIT')
      return { rows: end.rows, wavs: end.wavs }
    } catch (error) {
      if (isCommitting) {
        throw new Error('The connection broke at the very end: see whether the records are there', {
          cause: error,
        })
      }
      for (const key of wavKeys) await wavStore.remove(key)
      throw error
    }
  })
}

async function requireEmptyService(client: pg.Client, tables: readonly BackupTable[]): Promise<void> {
  const { rows: running } = await client.query<{ application_name: string }>(
    // The migration's connection to the queue may be ending still.
    `SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()
     AND application_name LIKE 'wavemill %' AND application_name <> 'wavemill queue' AND pid <> pg_backend_pid()`,
  )
  if (running.length > 0) {
    const names = running.map(({ application_name }) => application_name).join(', ')
    throw new BackupError(`Wavemill runs on this database (${names}): stop it first`)
  }
  await client.query(`SET LOCAL lock_timeout = '10s'`)
  for (const { name } of tables)
    await client.query(`LOCK TABLE ${pg.escapeIdentifier(name)} IN ACCESS EXCLUSIVE MODE`)
  const { rows } = await client.query<{ is_empty: boolean }>(
    'SELECT NOT EXISTS (SELECT FROM "user") AND NOT EXISTS (SELECT FROM record) AS is_empty',
  )
  if (rows[0]?.is_empty !== true) {
    throw new BackupError(
      'There are users or recordings in this service: a backup is restored into an empty one only',
    )
  }
}

interface LoadTools {
  readonly client: pg.Client
  readonly wavStore: WavStore
  readonly tables: readonly BackupTable[]
  /** Is given the key of each WAV before it is stored. */
  readonly wavKeys: bigint[]
}

/** @returns what the backup itself says is in it, which is true. */
async function loadEntries(tools: LoadTools, entries: AsyncIterable<ArchiveEntry>): Promise<End> {
  const { client, wavStore, wavKeys } = tools
  const digest = createArchiveDigest()
  const rows = createRowLoader(tools)
  let hasManifest = false
  let end: End | undefined
  for await (const entry of entries) {
    if (end !== undefined) throw damaged('something follows its end')
    if (!hasManifest) {
      if (entry.name !== MANIFEST) throw new BackupError('This is no backup of Wavemill')
      await beginWith(client, await readManifest(digest.over(entry)))
      hasManifest = true
    } else if (entry.name === END) {
      end = await readEnd(entry)
    } else {
      const place = parseEntryName(entry.name)
      const { content } = digest.over(entry)
      if ('table' in place) await rows.load(place.table, content)
      else await storeWav(wavStore, wavKeys, place.wavKey, content)
    }
  }
  if (end === undefined) throw new BackupError('The backup is cut off: its end is missing')
  if (end.sha256 !== digest.hex()) throw damaged('its SHA-256 is another one')
  requireCounts(end, { rows: await rows.end(), wavs: wavKeys.length })
  return end
}

async function beginWith(client: pg.Client, { migrations, lastRecordKey }: Manifest): Promise<void> {
  const ours = await appliedMigrations(client)
  if (ours.join() !== migrations.join()) {
    const [theirs, mine] = [migrations.at(-1), ours.at(-1)]
    throw new BackupError(
      `The backup's schema is ${theirs}, and this version's is ${mine}: restore it with the version that made it, then upgrade`,
    )
  }
  await client.query(`SELECT setval('record_key_seq', greatest($1::bigint, 1))`, [lastRecordKey])
}

/** Rows of one table come in one COPY, however many entries they are divided into. */
function createRowLoader({ client, tables }: LoadTools) {
  const counts: Record<string, number> = {}
  let current: { table: string; load: TableLoad } | undefined
  async function endCurrent(): Promise<void> {
    if (current !== undefined)
      counts[current.table] = (counts[current.table] ?? 0) + (await current.load.end())
    current = undefined
  }
  return {
    async load(table: string, content: ArchiveEntry['content']): Promise<void> {
      if (current?.table !== table) {
        await endCurrent()
        const target = tables.find(({ name }) => name === table)?.target
        if (target === undefined) throw damaged(`it has rows of a table ${table}`)
        current = { table, load: openTableLoad(client, target) }
      }
      for await (const bytes of content) await current.load.write(bytes)
    },
    async end(): Promise<BackupCounts['rows']> {
      await endCurrent()
      return counts
    },
  }
}

async function storeWav(
  wavStore: WavStore,
  wavKeys: bigint[],
  key: bigint,
  content: ArchiveEntry['content'],
): Promise<void> {
  const draft = await wavStore.createDraft()
  try {
    for await (const bytes of content) await draft.write(bytes)
    wavKeys.push(key)
    await draft.commit(key)
  } finally {
    await draft.discard()
  }
}

function requireCounts(said: BackupCounts, found: BackupCounts): void {
  const names = Object.keys({ ...said.rows, ...found.rows })
  const isSame = said.wavs === found.wavs && names.every((name) => said.rows[name] === found.rows[name])
  if (!isSame) throw damaged('it holds more or less than it says')
}

/** The worker that had taken it is not of this service: its attempt has ended, and is no death. */
async function handBackSegments(client: pg.Client): Promise<void> {
  await client.query('UPDATE segment SET taken_at = NULL WHERE taken_at IS NOT NULL')
}
