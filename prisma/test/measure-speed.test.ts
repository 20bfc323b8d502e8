/** The measured speed, with times that the test sets. */
import { afterEach, expect, test } from 'vitest'
import { measureSpeed } from '../src/measure-speed.ts'
import { insertTestRecord, sha256 } from './support/material.ts'
import { useTestDb } from './support/test-db.ts'

const testDb = useTestDb()

afterEach(async () => {
  await testDb.db.pool.query('TRUNCATE record CASCADE')
})

/** A minute of audio that was in work from one time to another, in seconds of some day. */
async function transcoded(from: number, to: number): Promise<void> {
  const { db, userId } = testDb
  const key = await insertTestRecord(db, userId, 1, { samples: 60 * 44_100 })
  await db.pool.query(
    `UPDATE record SET status = 'ready', segments_done = 1, mp3_size = 1, mp3_sha256 = $4,
       started_at = timestamptz '2026-01-01' + $2 * interval '1 second',
       ready_at = timestamptz '2026-01-01' + $3 * interval '1 second' WHERE key = $1`,
    [key, from, to, sha256('')],
  )
}

test('where nothing was transcoded yet, nothing is measured', async () => {
  await insertTestRecord(testDb.db, testDb.userId)
  expect(await measureSpeed(testDb.db)).toEqual({ audioSeconds: 0, busySeconds: 0 })
})

test('time in which several were in work counts once, and idle time not at all', async () => {
  await transcoded(0, 10)
  await transcoded(5, 12)
  await transcoded(6, 8)
  await transcoded(100, 103)
  expect(await measureSpeed(testDb.db)).toEqual({ audioSeconds: 240, busySeconds: 15 })
})

test('only the last twenty count', async () => {
  await transcoded(0, 1_000)
  for (let n = 0; n < 20; n++) await transcoded(2_000 + 2 * n, 2_001 + 2 * n)
  expect(await measureSpeed(testDb.db)).toEqual({ audioSeconds: 1_200, busySeconds: 20 })
})

test('a clock that was set back meanwhile is no error', async () => {
  await transcoded(10, 5)
  expect(await measureSpeed(testDb.db)).toEqual({ audioSeconds: 60, busySeconds: 0 })
})
