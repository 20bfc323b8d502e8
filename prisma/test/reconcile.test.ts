/** What the reconciler asks, held against records in every state. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { insertChunk } from '../src/chunks.ts'
import { failRecord } from '../src/fail-record.ts'
import { findFullRecord, finishRecord } from '../src/finish.ts'
import {
  dueSegments,
  expireRecords,
  fullRecords,
  keysDoneWithWav,
  keysInNeedOfWav,
  purgeTombstones,
  withReconcilerLock,
} from '../src/reconcile.ts'
import { deleteRecord, findRecord } from '../src/records.ts'
import { completeSegment, postponeSegment } from '../src/segments.ts'
import { takeSegment } from '../src/take-segment.ts'
import { insertTestRecord, sha256 } from './support/material.ts'
import { useTestDb } from './support/test-db.ts'

const testDb = useTestDb()

const insert = (segments?: number, expiresAt?: Date) =>
  insertTestRecord(testDb.db, testDb.userId, segments, { expiresAt })

async function complete(recordKey: bigint, seq: number): Promise<void> {
  const taken = await takeSegment(testDb.db, { recordKey, seq, worker: 'test' })
  await completeSegment(testDb.db, { recordKey, seq, attempt: taken?.attempt ?? 0, bytes: 1 })
}

async function finish(recordKey: bigint): Promise<boolean> {
  const head = Buffer.from('head')
  return await finishRecord(testDb.db, { recordKey, head, mp3Size: 4, mp3Sha256: sha256(head) })
}

async function makeReady(expiresAt?: Date): Promise<bigint> {
  const key = await insert(1, expiresAt)
  await complete(key, 0)
  await finish(key)
  return key
}

async function statusOf(key: bigint): Promise<unknown> {
  const { rows } = await testDb.db.pool.query('SELECT status FROM record WHERE key = $1', [key])
  return rows[0]?.status
}

afterEach(async () => {
  await testDb.db.pool.query('TRUNCATE record CASCADE')
})

test('due are the segments that are neither done nor put off, of records that are neither ready nor ended', async () => {
  const waiting = await insert(3)
  await complete(waiting, 1)
  const taken = await insert()
  await takeSegment(testDb.db, { recordKey: taken, seq: 0, worker: 'may be dead' })
  const putOff = await insert()
  await takeSegment(testDb.db, { recordKey: putOff, seq: 0, worker: 'test' })
  await postponeSegment(testDb.db, { recordKey: putOff, seq: 0, attempt: 1, failure: '', retryInMs: 60_000 })
  await makeReady()
  const failed = await insert()
  await failRecord(testDb.db, { recordKey: failed, code: 'undecodable', detail: '' })
  await deleteRecord(testDb.db, await insert())
  const expected = [
    { recordKey: waiting, seq: 0, priority: 1 },
    { recordKey: waiting, seq: 2, priority: 3 },
    { recordKey: taken, seq: 0, priority: 1 },
  ]
  expect(await dueSegments(testDb.db, undefined, 100)).toEqual(expected)
  expect(await dueSegments(testDb.db, undefined, 2)).toEqual(expected.slice(0, 2))
  expect(await dueSegments(testDb.db, expected[1], 2)).toEqual(expected.slice(2))
})

test('full are the records whose segments are all done, until one of many finishes them', async () => {
  const full = await insert(2)
  await complete(full, 0)
  expect(await fullRecords(testDb.db, 10)).toEqual([])
  expect(await findFullRecord(testDb.db, full)).toBeUndefined()
  expect(await finish(full)).toBe(false)
  await complete(full, 1)
  expect(await fullRecords(testDb.db, 10)).toEqual([full])
  expect(await findFullRecord(testDb.db, full)).toMatchObject({ samples: 2_000, options: { quality: 2 } })
  const answers = await Promise.all(Array.from({ length: 8 }, () => finish(full)))
  expect(answers.filter((isMine) => isMine)).toHaveLength(1)
  expect(await fullRecords(testDb.db, 10)).toEqual([])
})

test('a record deleted before it is finished stays deleted', async () => {
  const key = await insert(1)
  await complete(key, 0)
  await deleteRecord(testDb.db, key)
  expect(await finish(key)).toBe(false)
  expect(await statusOf(key)).toBe('deleted')
})

test('a record whose time is over expires, also while it waits or is being transcoded', async () => {
  const past = new Date(Date.now() - 1_000)
  const ready = await makeReady(past)
  const waiting = await insert(1, past)
  const running = await insert(2, past)
  await takeSegment(testDb.db, { recordKey: running, seq: 0, worker: 'test' })
  const kept = await makeReady(new Date(Date.now() + 60_000))
  const forEver = await makeReady()
  expect(new Set(await expireRecords(testDb.db, 10))).toEqual(new Set([ready, waiting, running]))
  expect(await expireRecords(testDb.db, 10)).toEqual([])
  expect(await Promise.all([ready, waiting, running, kept, forEver].map(statusOf))).toEqual([
    ...['expired', 'expired', 'expired'],
    ...['ready', 'ready'],
  ])
  for (const table of ['chunk', 'segment']) {
    const { rowCount } = await testDb.db.pool.query(`SELECT FROM ${table} WHERE record_key = ANY($1)`, [
      [ready, waiting, running],
    ])
    expect(rowCount).toBe(0)
  }
})

test('tombstones are purged after their days, some at a time', async () => {
  const keys = [await insert(), await insert(), await insert(), await insert()] as const
  for (const key of keys.slice(0, 3)) await deleteRecord(testDb.db, key)
  await testDb.db.pool.query(
    `UPDATE record SET removed_at = now() - interval '30 days' WHERE key = ANY($1)`,
    [keys.slice(0, 2)],
  )
  expect(await purgeTombstones(testDb.db, 30, 1)).toBe(1)
  expect(await purgeTombstones(testDb.db, 30, 10)).toBe(1)
  expect(await purgeTombstones(testDb.db, 30, 10)).toBe(0)
  expect(await Promise.all(keys.map(statusOf))).toEqual([undefined, undefined, 'deleted', 'queued'])
})

test('a WAV is needed until its record is ready or ended', async () => {
  const queued = await insert()
  const processing = await insert()
  await takeSegment(testDb.db, { recordKey: processing, seq: 0, worker: 'test' })
  const ready = await makeReady()
  const deleted = await insert()
  await deleteRecord(testDb.db, deleted)
  const needed = await keysInNeedOfWav(testDb.db, [queued, processing, ready, deleted, deleted + 1_000n])
  expect(needed).toEqual(new Set([queued, processing]))
  const done = await keysDoneWithWav(testDb.db, [queued, processing, ready, deleted, deleted + 1_000n])
  expect(done).toEqual(new Set([ready, deleted])) // of one that has no row yet nobody knows
  expect(await keysInNeedOfWav(testDb.db, [])).toEqual(new Set())
})

test('one reconciles at a time, and the next one can when the first is through, or has failed', async () => {
  let running = 0
  let most = 0
  const work = async () => {
    running += 1
    most = Math.max(most, running)
    await sleep(20)
    running -= 1
    return 'done'
  }
  const results = await Promise.all(Array.from({ length: 10 }, () => withReconcilerLock(testDb.url, work)))
  expect(most).toBe(1)
  expect(results).toContain('done')
  expect(results).toContain(undefined)
  await expect(withReconcilerLock(testDb.url, () => Promise.reject(new Error('broken')))).rejects.toThrow(
    'broken',
  )
  expect(await withReconcilerLock(testDb.url, work)).toBe('done')
})

test('the lock of a reconciler whose connection broke is free', async () => {
  await withReconcilerLock(testDb.url, async () => {
    const admin = new pg.Client({ connectionString: testDb.url })
    await admin.connect()
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'wavemill reconciler'`,
    )
    await admin.end()
    let second: string | undefined
    while (second === undefined) second = await withReconcilerLock(testDb.url, async () => 'second')
    expect(second).toBe('second')
  })
})

test('a deleted record leaves a tombstone that tells nothing about the recording', async () => {
  const key = await insert()
  await takeSegment(testDb.db, { recordKey: key, seq: 0, worker: 'test' })
  await insertChunk(testDb.db, { recordKey: key, seq: 0, attempt: 1, part: 0, data: Buffer.from('half') })
  const { rows } = await testDb.db.pool.query<{ id: string }>('SELECT id FROM record WHERE key = $1', [key])
  expect(await deleteRecord(testDb.db, key)).toBe(true)
  expect(await deleteRecord(testDb.db, key)).toBe(false)
  expect(await deleteRecord(testDb.db, key + 1_000n)).toBe(false)
  const tombstone = await findRecord(testDb.db, { id: rows[0]?.id ?? '', userId: testDb.userId })
  expect(tombstone).toMatchObject({ status: 'deleted', fileName: '', warnings: [] })
  const left = await testDb.db.pool.query('SELECT FROM chunk UNION ALL SELECT FROM segment')
  expect(left.rowCount).toBe(0)
})
