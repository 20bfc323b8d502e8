/** Quotas in a real database, also while many upload at once. */
import { afterEach, expect, test } from 'vitest'
import { insertRecord } from '../src/insert-record.ts'
import { checkQuota, noQuota, type Quota, QuotaExceeded } from '../src/quota.ts'
import { deleteRecord } from '../src/records.ts'
import { waitingLoad } from '../src/waiting-load.ts'
import { insertTestRecord, insertUser, planTestRecord } from './support/material.ts'
import { useTestDb } from './support/test-db.ts'

const testDb = useTestDb({ poolSize: 12 })

afterEach(async () => {
  await testDb.db.pool.query('TRUNCATE record CASCADE')
})

async function upload(userId: string, quota: Partial<Quota>, wavBytes = 4_044): Promise<bigint> {
  const record = await planTestRecord(testDb.db, userId, 1, { wavBytes })
  await insertRecord(testDb.db, record, { ...noQuota, ...quota })
  return record.key
}

const exceeded = (what: keyof Quota) => expect.objectContaining({ constructor: QuotaExceeded, what })

test.each(['recordings', 'waiting'] as const)(
  'of many uploads at once exactly as many are stored as the quota of %s has room for',
  async (what) => {
    const others = await insertUser(testDb.db)
    const uploads = await Promise.allSettled([
      ...Array.from({ length: 12 }, () => upload(testDb.userId, { [what]: 5 })),
      ...Array.from({ length: 5 }, () => upload(others, { [what]: 5 })),
    ])
    const refused = uploads.filter((result) => result.status === 'rejected')
    expect(refused.map(({ reason }) => reason)).toEqual(Array.from({ length: 7 }, () => exceeded(what)))
    expect(await testDb.db.prisma.record.count({ where: { userId: testDb.userId } })).toBe(5)
    expect(await testDb.db.prisma.segment.count()).toBe(10)
  },
)

test('of many uploads at once no more bytes are stored than the quota has room for', async () => {
  const uploads = Array.from({ length: 10 }, () => upload(testDb.userId, { bytes: 10_000 }, 3_000))
  await Promise.allSettled(uploads)
  expect(await waitingLoad(testDb.db)).toEqual({ recordings: 3, bytes: 9_000 })
})

test('what is ready counts with its MP3, does not wait, and what is deleted counts no more', async () => {
  const { db, userId } = testDb
  const key = await insertTestRecord(db, userId)
  await db.pool.query(
    `UPDATE record SET status = 'ready', ready_at = now(), segments_done = segments_total, mp3_size = 700, mp3_sha256 = wav_sha256`,
  )
  await checkQuota(db.pool, userId, { ...noQuota, waiting: 1, recordings: 2, bytes: 800 }, 100)
  await expect(checkQuota(db.pool, userId, { ...noQuota, bytes: 800 }, 101)).rejects.toThrow(QuotaExceeded)
  await expect(checkQuota(db.pool, userId, { ...noQuota, recordings: 1 })).rejects.toThrow(QuotaExceeded)
  expect(await waitingLoad(db)).toEqual({ recordings: 0, bytes: 0 })
  await deleteRecord(db, key)
  await checkQuota(db.pool, userId, { waiting: 1, recordings: 1, bytes: 100 }, 100)
})
