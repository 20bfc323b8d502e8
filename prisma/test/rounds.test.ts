/** Rounds and positions in a real database, also while many upload at once. */
import { afterEach, expect, test } from 'vitest'
import { insertRecord } from '../src/insert-record.ts'
import { dueSegments } from '../src/reconcile.ts'
import { deleteRecord } from '../src/records.ts'
import { workBefore } from '../src/rounds.ts'
import { completeSegment, postponeSegment } from '../src/segments.ts'
import { takeSegment } from '../src/take-segment.ts'
import { insertTestRecord, insertUser, planTestRecord } from './support/material.ts'
import { useTestDb } from './support/test-db.ts'

const testDb = useTestDb({ poolSize: 12 })

afterEach(async () => {
  await testDb.db.pool.query('TRUNCATE record CASCADE')
})

/** @returns the rounds of the new record's segments. */
async function upload(userId: string, segments = 1): Promise<readonly number[]> {
  return await insertRecord(testDb.db, await planTestRecord(testDb.db, userId, segments))
}

/** Takes and completes the segment that comes first, as a worker would. */
async function serveNext(): Promise<void> {
  const { db } = testDb
  const due = await dueSegments(db, undefined, 1_000)
  const [first] = due.toSorted((a, b) => a.priority - b.priority || Number(a.recordKey - b.recordKey))
  if (first === undefined) throw new Error('Nothing is due')
  const taken = await takeSegment(db, { ...first, worker: 'test' })
  if (taken !== undefined) await completeSegment(db, { ...taken, bytes: 1 })
}

test('each segment of a user takes a round, and another user begins in the one that is next', async () => {
  const other = await insertUser(testDb.db)
  expect(await upload(testDb.userId, 3)).toEqual([1, 2, 3])
  expect(await upload(testDb.userId)).toEqual([4])
  await serveNext()
  await serveNext()
  expect(await upload(other, 2)).toEqual([3, 4])
  expect(await upload(testDb.userId)).toEqual([5])
})

test('once nothing of theirs waits, a user owes nothing for what was done', async () => {
  const other = await insertUser(testDb.db)
  await upload(testDb.userId, 4)
  for (let served = 0; served < 4; served++) await serveNext()
  expect(await upload(other, 2)).toEqual([1, 2])
  expect(await upload(testDb.userId)).toEqual([1])
})

test('what was tried already is no part of the queue, and goes before all that waits', async () => {
  const recordKey = await insertTestRecord(testDb.db, testDb.userId, 3)
  await takeSegment(testDb.db, { recordKey, seq: 2, worker: 'test' })
  await postponeSegment(testDb.db, { recordKey, seq: 2, attempt: 1, failure: '', retryInMs: 0 })
  const due = await dueSegments(testDb.db, undefined, 10)
  expect(due.map(({ seq, priority }) => [seq, priority])).toEqual([
    [0, 1],
    [1, 2],
    [2, 1],
  ])
})

test('whoever uploads at once gets rounds of their own, and other users do not wait for them', async () => {
  const { db } = testDb
  const users = [testDb.userId, await insertUser(db), await insertUser(db)]
  const uploads = users.flatMap((userId) => Array.from({ length: 20 }, () => upload(userId, 2)))
  const rounds = await Promise.all(uploads)
  const inOrder = Array.from({ length: 40 }, (_, index) => index + 1)
  for (const [index] of users.entries()) {
    const own = rounds.slice(20 * index, 20 * (index + 1)).flat()
    expect(own.toSorted((a, b) => a - b)).toEqual(inOrder)
  }

  const holder = await db.pool.connect()
  try {
    await holder.query('BEGIN')
    await holder.query('SELECT FROM "user" WHERE id = $1 FOR UPDATE', [users[1]])
    expect(await upload(testDb.userId)).toEqual([41])
  } finally {
    await holder.query('ROLLBACK')
    holder.release()
  }
})

test('rounds end at the lowest priority that the queue knows', async () => {
  await upload(testDb.userId)
  await testDb.db.pool.query('UPDATE "user" SET last_round = 2097150 WHERE id = $1', [testDb.userId])
  expect(await upload(testDb.userId, 3)).toEqual([2_097_151, 2_097_151, 2_097_151])
  expect(await upload(testDb.userId)).toEqual([2_097_151])
})

test('a position is the number of unfinished recordings that are served before', async () => {
  const { db } = testDb
  const other = await insertUser(db)
  const first = await insertTestRecord(db, testDb.userId)
  const long = await insertTestRecord(db, testDb.userId, 3)
  const last = await insertTestRecord(db, testDb.userId)
  const guest = await insertTestRecord(db, other)
  await deleteRecord(db, await insertTestRecord(db, other))
  const before = () => Promise.all([first, guest, long, last].map((key) => workBefore(db, key)))
  const positions = async () => (await before()).map(({ records }) => records)
  expect(await positions()).toEqual([0, 1, 2, 3])
  await serveNext()
  expect(await positions()).toEqual([0, 0, 1, 2])
  await takeSegment(db, { recordKey: last, seq: 0, worker: 'test' })
  expect(await positions()).toEqual([0, 1, 2, 0])
})

test('the audio that comes before a recording is that of the segments which do', async () => {
  const { db } = testDb
  const other = await insertUser(db)
  const samples = 44_100 * 60
  // A minute of 16-bit stereo in each, without the 44 bytes of header, which no segment holds.
  const minute = { samples, wavBytes: 4 * samples }
  const segments = [0, 1, 2].map((seq) => ({
    seq,
    startByte: (seq * minute.wavBytes) / 3,
    endByte: ((seq + 1) * minute.wavBytes) / 3,
    firstFrame: 766 * seq,
    frames: 766,
    warmUpFrames: 0,
  }))
  const long = await insertTestRecord(db, testDb.userId, 3, { ...minute, segments })
  const guest = await insertTestRecord(db, other)
  const last = await insertTestRecord(db, testDb.userId)
  const audioBefore = async (key: bigint) => (await workBefore(db, key)).audioSeconds
  expect(await audioBefore(long)).toBe(0)
  expect(await audioBefore(guest)).toBeCloseTo(20) // the first of the three
  expect(await audioBefore(last)).toBeCloseTo(60, 0)
  await serveNext()
  expect(await audioBefore(last)).toBeCloseTo(40, 0)
})
