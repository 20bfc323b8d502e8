/** Holds the WAV store against the records: each that waits has its WAV, and no other file lies there. */
import type { StoredFile, WavStore } from '@wavemill/core/wav-store'
import { recordPages } from './audit-pages.ts'
import type { Fault, Scope } from './books.ts'
import type { Database } from './database.ts'
import { keysDoneWithWav, keysInNeedOfWav } from './reconcile.ts'

const FILES_AT_ONCE = 1_000

/** The reconciler removes a temporary file to which nothing was written for two minutes; it looks every ten seconds. */
const STALE_AFTER_MS = 150_000

/** So long it leaves a file whose record has no row: an API may be about to write it, or could not learn whether it did. */
const WITHOUT_ROW_MS = 60 * 60_000 + 30_000

export async function* auditWavStore(db: Database, wavStore: WavStore, scope: Scope): AsyncGenerator<Fault> {
  yield* auditFiles(db, await wavStore.list())
  for await (const keys of recordPages(db, ['queued', 'processing'], scope)) {
    yield* auditWaiting(db, wavStore, keys)
  }
}

async function* auditFiles(db: Database, files: readonly StoredFile[]): AsyncGenerator<Fault> {
  for (const { name, modifiedAt } of files.filter((file) => file.temporary)) {
    const idleMs = Date.now() - modifiedAt.getTime()
    if (idleMs < STALE_AFTER_MS) continue
    const detail = `An upload wrote to it ${Math.round(idleMs / 1000)} seconds ago for the last time.`
    yield { kind: 'stale-temporary', file: name, detail }
  }
  const wavs = files.filter((file) => !file.temporary && file.name.endsWith('.wav'))
  for (let start = 0; start < wavs.length; start += FILES_AT_ONCE) {
    const some = wavs.slice(start, start + FILES_AT_ONCE)
    const keys = some.flatMap(({ key }) => key ?? [])
    const needed = await keysInNeedOfWav(db, keys)
    const done = await keysDoneWithWav(db, keys)
    for (const { name, key, bytes, modifiedAt } of some) {
      if (key !== undefined && needed.has(key)) continue
      const mayStillCome = key !== undefined && !done.has(key)
      if (mayStillCome && Date.now() - modifiedAt.getTime() < WITHOUT_ROW_MS) continue
      const detail = `No record waits for this file of ${bytes} bytes.`
      yield { kind: 'wav-not-needed', file: name, detail }
    }
  }
}

async function* auditWaiting(
  db: Database,
  wavStore: WavStore,
  keys: readonly bigint[],
): AsyncGenerator<Fault> {
  const { rows } = await db.pool.query<{ key: string; wav_bytes: string }>(
    `SELECT key, wav_bytes FROM record WHERE key = ANY($1) AND status IN ('queued', 'processing') ORDER BY key`,
    [keys],
  )
  for (const row of rows) {
    const recordKey = BigInt(row.key)
    const bytes = await wavStore.size(recordKey)
    if (bytes === undefined) {
      yield { kind: 'wav-missing', recordKey, detail: 'It waits to be transcoded, and its WAV is not there.' }
    } else if (bytes !== Number(row.wav_bytes)) {
      const detail = `Its WAV had ${row.wav_bytes} bytes when it came, and has ${bytes} now.`
      yield { kind: 'wav-wrong-size', recordKey, detail }
    }
  }
}
