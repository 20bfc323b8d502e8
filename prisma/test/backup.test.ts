/** Backups taken of a service in every state and restored into an empty one; and those that must be refused. */
import { randomBytes } from 'node:crypto'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { createLog } from '@wavemill/core/log'
import { createWavStore, type WavStore } from '@wavemill/core/wav-store'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts'
import { takeBackup } from '../src/backup.ts'
import { type ArchiveEntry, readArchive, writeArchive } from '../src/backup-archive.ts'
import { manifestEntry } from '../src/backup-contents.ts'
import { backUpTo, restoreFrom } from '../src/backup-files.ts'
import { checkBooks, type FaultKind } from '../src/books.ts'
import { insertChunk } from '../src/chunks.ts'
import { type Database, openDatabase } from '../src/database.ts'
import { finishRecord } from '../src/finish.ts'
import { insertRecord, reserveRecordKey } from '../src/insert-record.ts'
import { removeRecord } from '../src/records.ts'
import { restoreBackup } from '../src/restore.ts'
import { completeSegment } from '../src/segments.ts'
import { takeSegment } from '../src/take-segment.ts'
import { planTestRecord, sha256 } from './support/material.ts'
import { useTestDb } from './support/test-db.ts'
import { useWavStore } from './support/wav-folder.ts'

const log = createLog('test', 'silent')
const testDb = useTestDb()
const wavStore = useWavStore()
let target: TestDatabase
let targetStore: WavStore

beforeAll(async () => {
  target = await createTestDatabase()
  targetStore = await createWavStore(await mkdtemp(join(tmpdir(), 'wavemill-restored-')))
})
afterAll(async () => {
  await target.drop()
  await rm(targetStore.dir, { recursive: true })
})
afterEach(async () => {
  await emptyTarget()
  await testDb.db.pool.query('TRUNCATE record CASCADE')
  for (const { name } of await wavStore().list()) await wavStore().removeFile(name)
})

async function queryTarget(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: target.url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

async function waitingRecord(segments = 2): Promise<bigint> {
  const record = await planTestRecord(testDb.db, testDb.userId, segments)
  const draft = await wavStore().createDraft()
  await draft.write(randomBytes(record.wavBytes))
  await draft.commit(record.key)
  await insertRecord(testDb.db, record)
  return record.key
}

async function encodeSegment(recordKey: bigint, seq: number, data: Buffer): Promise<void> {
  const taken = await takeSegment(testDb.db, { recordKey, seq, worker: 'test' })
  const attempt = taken?.attempt ?? 0
  await insertChunk(testDb.db, { recordKey, seq, attempt, part: 0, data })
  await completeSegment(testDb.db, { recordKey, seq, attempt, bytes: data.byteLength })
}

/** As a worker leaves it: its WAV is removed after the record is ready. */
async function finish(recordKey: bigint, bytes: number): Promise<void> {
  const mp3 = randomBytes(50 + bytes)
  await encodeSegment(recordKey, 0, mp3.subarray(50))
  const head = mp3.subarray(0, 50)
  await finishRecord(testDb.db, { recordKey, head, mp3Size: mp3.length, mp3Sha256: sha256(mp3) })
  await wavStore().remove(recordKey)
}

/** One record in each state. */
async function fillService(mp3Bytes = 1_000): Promise<{ waiting: bigint; underWay: bigint }> {
  await finish(await waitingRecord(1), mp3Bytes)
  const waiting = await waitingRecord()
  const underWay = await waitingRecord()
  await encodeSegment(underWay, 0, randomBytes(700))
  await takeSegment(testDb.db, { recordKey: underWay, seq: 1, worker: 'test' })
  await removeRecord(testDb.db, await waitingRecord(), 'expired')
  for (const { name, key } of await wavStore().list()) {
    if (key !== waiting && key !== underWay) await wavStore().removeFile(name)
  }
  return { waiting, underWay }
}

async function backUp(): Promise<Buffer> {
  const parts: Buffer[] = []
  const out = new Writable({
    write(bytes: Buffer, _encoding, done) {
      parts.push(bytes)
      done()
    },
  })
  await takeBackup({ url: testDb.url, wavStore: wavStore(), log }, (entries) => writeArchive(entries, out))
  return Buffer.concat(parts)
}

/** In blocks that end anywhere. */
function restore(backup: Buffer) {
  const blocks = Array.from({ length: Math.ceil(backup.byteLength / 1_000) }, (_, index) =>
    backup.subarray(1_000 * index, 1_000 * (index + 1)),
  )
  const options = { url: target.url, wavStore: targetStore, log }
  return restoreBackup(options, readArchive(Readable.from(blocks)))
}

async function emptyTarget(): Promise<void> {
  await queryTarget('TRUNCATE "user" CASCADE')
  for (const { name } of await targetStore.list()) await targetStore.removeFile(name)
}

async function expectSoundTarget(allowed?: FaultKind): Promise<void> {
  const db = openDatabase({ url: target.url, applicationName: 'wavemill test', log })
  try {
    const faults = await checkBooks(db, targetStore, { settleMs: 0 })
    expect(faults.filter(({ kind }) => kind !== allowed)).toEqual([])
  } finally {
    await db.close()
  }
}

async function expectEmptyTarget(): Promise<void> {
  expect(
    await queryTarget('SELECT FROM "user" UNION ALL SELECT FROM record UNION ALL SELECT FROM chunk'),
  ).toEqual([])
  expect(await targetStore.list()).toEqual([])
}

async function tablesOfSchema(): Promise<string[]> {
  const { rows } = await testDb.db.pool.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  )
  return rows.map(({ name }) => name).filter((name) => name !== '_prisma_migrations')
}

async function openTarget(): Promise<Database> {
  const db = openDatabase({ url: target.url, applicationName: 'wavemill test', log })
  onTestFinished(() => db.close())
  return db
}

test('a backup brings back every row, the WAVs of what waits, and books that add up', async () => {
  const { waiting, underWay } = await fillService(1_000_000)
  const result = await restore(await backUp())
  expect(result).toMatchObject({ rows: { user: 1, record: 4, segment: 5, chunk: 3 }, wavs: 2 })
  for (const table of await tablesOfSchema()) {
    const sql = `SELECT md5(string_agg(row, ';' ORDER BY row)) AS digest
      FROM (SELECT (to_jsonb(t) - 'taken_at')::text AS row FROM "${table}" t) rows`
    expect(await queryTarget(sql), table).toEqual((await testDb.db.pool.query(sql)).rows)
  }
  for (const key of [waiting, underWay]) {
    expect(await readFile(targetStore.pathOf(key))).toEqual(await readFile(wavStore().pathOf(key)))
  }
  await expectSoundTarget()
})

test('what a worker was at may be taken at once after a restore, and that is no death', async () => {
  const { underWay } = await fillService()
  await restore(await backUp())
  const db = await openTarget()
  expect(await takeSegment(db, { recordKey: underWay, seq: 1, worker: 'test' })).toMatchObject({ attempt: 2 })
  expect(await queryTarget(`SELECT deaths FROM segment WHERE record_key = ${underWay} AND seq = 1`)).toEqual([
    { deaths: 0 },
  ])
})

test('a key that was given before is not given again', async () => {
  await fillService()
  const last = await reserveRecordKey(testDb.db)
  await restore(await backUp())
  expect(await reserveRecordKey(await openTarget())).toBeGreaterThan(last)
})

test('what ends or begins to wait while the backup is taken is in it with its WAV or with its MP3', async () => {
  const stop = new AbortController()
  const atWork = (async () => {
    while (!stop.signal.aborted) {
      const keys = await Promise.all([waitingRecord(1), waitingRecord(1), waitingRecord(1)])
      const [ready, deleted] = keys
      if (ready !== undefined) await finish(ready, 300)
      if (deleted === undefined) continue
      await removeRecord(testDb.db, deleted, 'deleted')
      await wavStore().remove(deleted)
    }
  })()
  try {
    for (let round = 0; round < 5; round++) {
      await restore(await backUp())
      // The reconciler finishes what was just about to be.
      await expectSoundTarget('full-not-finished')
      await emptyTarget()
    }
  } finally {
    stop.abort()
    await atWork
  }
})

test('a recording that waits without its WAV stops no backup, and is named', async () => {
  const { waiting } = await fillService()
  await wavStore().remove(waiting)
  const nowhere = new Writable({ write: (_bytes, _encoding, done) => done() })
  const options = { url: testDb.url, wavStore: wavStore(), log }
  const backup = await takeBackup(options, (entries) => writeArchive(entries, nowhere))
  expect(backup).toMatchObject({ wavs: 1, lostWavs: [waiting] })
})

test('a backup that is cut off anywhere is refused, and leaves nothing', async () => {
  await fillService()
  const backup = await backUp()
  const end = backup.indexOf('end.json')
  const cuts = [0, 1, 511, 512, 1_024, 5_000, end - 1_024, end - 512, end - 1, end, end + 512, end + 600]
  for (const cut of cuts) {
    await expect(restore(backup.subarray(0, cut)), `at ${cut}`).rejects.toThrow(
      /The backup is|This is no backup|end/,
    )
    await expectEmptyTarget()
  }
})

test('a backup in which a byte is another one is refused, or it was one that says nothing', async () => {
  await fillService()
  const backup = await backUp()
  let refused = 0
  for (let at = 0; at < backup.byteLength; at += Math.ceil(backup.byteLength / 30)) {
    const copy = Buffer.from(backup)
    copy.writeUInt8(copy.readUInt8(at) ^ 0x11, at)
    const outcome = await restore(copy).catch((error: unknown) => error)
    if (outcome instanceof Error) {
      expect(outcome, `at ${at}`).toMatchObject({ name: 'BackupError' })
      await expectEmptyTarget()
      refused += 1
    } else {
      // Between the end of an entry and the next multiple of 512 there are zeros, which nobody reads.
      expect(backup.readUInt8(at), `at ${at}`).toBe(0)
      await expectSoundTarget()
      await emptyTarget()
    }
  }
  expect(refused).toBeGreaterThan(15)
})

test('a backup of another schema, and one of another format, are refused with what to do', async () => {
  const describe = async function* (entry: ArchiveEntry): AsyncGenerator<ArchiveEntry> {
    yield entry
  }
  const options = { url: target.url, wavStore: targetStore, log }
  const older = manifestEntry({
    migrations: ['20261124120000_first_tables'],
    madeAt: '2026-11-24T12:00:00.000Z',
    lastRecordKey: '7',
  })
  await expect(restoreBackup(options, describe(older))).rejects.toThrow(
    /schema is 20261124120000_first_tables.*with the version that made it, then upgrade/,
  )
  const content = [Buffer.from('{"format":"wavemill-backup-2"}')]
  const newer = { name: 'manifest.json', size: 30, content }
  await expect(restoreBackup(options, describe(newer))).rejects.toThrow(/format is "wavemill-backup-2"/)
  await expect(restore(Buffer.alloc(20_000, 'no tar'))).rejects.toThrow(
    /The backup is cut off, damaged, or none/,
  )
  await expectEmptyTarget()
})

test('a service that has users, or that runs, is left as it is', async () => {
  await fillService()
  const backup = await backUp()
  const db = openDatabase({ url: target.url, applicationName: 'wavemill api', log })
  await db.pool.query('SELECT')
  await expect(restore(backup)).rejects.toThrow(
    'Wavemill runs on this database (wavemill api): stop it first',
  )
  await db.close()
  await restore(backup)
  await expect(restore(backup)).rejects.toThrow('an empty one only')
  expect(await queryTarget('SELECT count(*)::int AS count FROM record')).toEqual([{ count: 4 }])
  expect(await targetStore.list()).toHaveLength(2)
})

test('a file is there when the backup is whole, for its owner only, and is never written over', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wavemill-backup-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const { waiting } = await fillService()
  const file = join(folder, 'wavemill.backup')
  const lines: string[] = []
  const print = (line: string) => void lines.push(line)
  await backUpTo({ file, url: testDb.url, wavDir: wavStore().dir, log, print })
  await expect(backUpTo({ file, url: testDb.url, wavDir: wavStore().dir, log, print })).rejects.toThrow(
    'already',
  )
  await restoreFrom({ file, url: target.url, wavDir: targetStore.dir, log, print })
  expect(lines).toEqual([
    expect.stringMatching(/^Backed up: 1 users and 4 /),
    expect.stringMatching(/^Restored: 1 users and 4 /),
  ])
  expect(await targetStore.size(waiting)).toBe(await wavStore().size(waiting))
})

test('where the backup cannot be written nothing of it is left, also not in the WAV store', async () => {
  await fillService()
  await expect(
    backUpTo({ file: '/dev/full/x', url: testDb.url, wavDir: wavStore().dir, log, print: () => {} }),
  ).rejects.toThrow('ENOTDIR')
  const full = new Writable({ write: (_bytes, _encoding, done) => done(new Error('ENOSPC')) })
  const options = { url: testDb.url, wavStore: wavStore(), log }
  await expect(takeBackup(options, (entries) => writeArchive(entries, full))).rejects.toThrow('ENOSPC')
  await expect(access(join(wavStore().dir, '.backup'))).rejects.toThrow('ENOENT')
  await expect(takeBackup(options, () => writeFile('/dev/full', 'x'))).rejects.toThrow('ENOSPC')
})
