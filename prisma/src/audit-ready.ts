/** Finds ready records whose chunks are not the MP3 that was finished, byte for byte. */
import { createHash } from 'node:crypto'
import { recordPages } from './audit-pages.ts'
import type { Fault, Scope } from './books.ts'
import { HEAD_SEGMENT, readMp3 } from './chunks.ts'
import type { Database } from './database.ts'
import { isDatabaseAway } from './database-away.ts'

interface ReadyRow {
  key: string
  mp3_size: string
  mp3_sha256: Buffer
  stored: string
  has_head: boolean
}

export async function* auditReady(db: Database, scope: Scope): AsyncGenerator<Fault> {
  for await (const keys of recordPages(db, ['ready'], scope)) {
    const { rows } = await db.pool.query<ReadyRow>(
      `SELECT key, mp3_size, mp3_sha256, coalesce(sum(size), 0) AS stored,
         coalesce(bool_or(segment = ${HEAD_SEGMENT}), false) AS has_head
       FROM record LEFT JOIN chunk ON record_key = key
       WHERE key = ANY($1) AND status = 'ready' GROUP BY key ORDER BY key`,
      [keys],
    )
    for (const row of rows) yield* auditMp3(db, row)
  }
}

async function* auditMp3(db: Database, row: ReadyRow): AsyncGenerator<Fault> {
  const recordKey = BigInt(row.key)
  if (!row.has_head)
    yield { kind: 'no-head', recordKey, detail: 'It is ready, and has no Info frame in front.' }
  if (row.stored !== row.mp3_size) {
    const detail = `It is ready with ${row.mp3_size} bytes, and its chunks hold ${row.stored}.`
    yield { kind: 'wrong-size', recordKey, detail }
    return
  }
  const problem = await compareDigest(db, recordKey, row.mp3_sha256)
  if (problem !== undefined) yield { kind: 'wrong-digest', recordKey, detail: problem }
}

async function compareDigest(db: Database, recordKey: bigint, expected: Buffer): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    for await (const bytes of readMp3(db, recordKey)) hash.update(bytes)
  } catch (error) {
    if (isDatabaseAway(error)) throw error
    return `Its chunks cannot be read: ${error instanceof Error ? error.message : String(error)}` // or it was deleted just now
  }
  const actual = hash.digest()
  if (actual.equals(expected)) return undefined
  return `Its chunks have the SHA-256 digest ${actual.toString('hex')}, not ${expected.toString('hex')}.`
}
