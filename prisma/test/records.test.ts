/** Records from insertion to tombstone, on a real PostgreSQL. */
import { randomUUID } from 'node:crypto'
import { createLog } from '@wavemill/core/log'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts'
import { type Database, openDatabase } from '../src/database.ts'
import { insertRecord } from '../src/insert-record.ts'
import { deleteRecord, findRecord } from '../src/records.ts'
import { insertTestRecord, insertUser, planTestRecord } from './support/material.ts'

let database: TestDatabase
let db: Database
let userId: string

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase({ url: database.url, applicationName: 'test', log: createLog('test', 'silent') })
  userId = await insertUser(db)
})

afterAll(async () => {
  await db.close()
  await database.drop()
})

test('a record is found as it was inserted, with everything that its link may show', async () => {
  const record = await planTestRecord(db, userId, 3)
  const before = Date.now()
  await insertRecord(db, record)
  const found = await findRecord(db, { id: record.id, userId })
  const { options, source, segments, expiresAt, ...same } = record
  expect(found).toMatchObject({
    ...same,
    status: 'queued',
    sampleRate: 44_100,
    channels: 2,
    bitsPerSample: 16,
  })
  expect(found).toMatchObject({ segmentsTotal: 3, segmentsDone: 0, progress: 0, mp3Size: undefined })
  expect(found?.createdAt.getTime()).toBeGreaterThanOrEqual(before - 1_000)
  expect(found?.createdAt.getTime()).toBeLessThanOrEqual(Date.now() + 1_000)
  const { rows } = await db.pool.query('SELECT source, options FROM record WHERE key = $1', [record.key])
  expect(rows).toEqual([{ source: JSON.parse(JSON.stringify(source)), options }])
})

test('a record of fifty thousand segments is inserted', async () => {
  const key = await insertTestRecord(db, userId, 50_000)
  const { rows } = await db.pool.query(
    'SELECT count(*)::int, max(end_byte) FROM segment WHERE record_key = $1',
    [key],
  )
  expect(rows).toEqual([{ count: 50_000, max: '200000044' }])
  await deleteRecord(db, key)
})

test('a record is not found under another user or another id', async () => {
  const record = await planTestRecord(db, userId)
  await insertRecord(db, record)
  expect(await findRecord(db, { id: record.id, userId: randomUUID() })).toBeUndefined()
  expect(await findRecord(db, { id: randomUUID(), userId })).toBeUndefined()
})
