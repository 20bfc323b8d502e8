/** Who has an idempotency key: one upload at a time, then its record, for a day. */
import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { deleteUser } from '../src/delete-user.ts'
import {
  findKey,
  type HeldKey,
  holdKey,
  KeyAlreadyUsed,
  purgeKeys,
  releaseKey,
} from '../src/idempotency-keys.ts'
import { insertRecord } from '../src/insert-record.ts'
import { deleteRecord } from '../src/records.ts'
import { insertUser, planTestRecord } from './support/material.ts'
import { useTestDb } from './support/test-db.ts'

const testDb = useTestDb({ poolSize: 20 })
const MINUTE = 60_000
const LAPSED = -1 // held until a moment that is over

function newHold(from: Partial<HeldKey> = {}): HeldKey {
  const optionsSha256 = randomBytes(32)
  return { userId: testDb.userId, key: randomUUID(), uploadId: randomUUID(), optionsSha256, ...from }
}
const rival = (hold: HeldKey) => newHold({ ...hold, uploadId: randomUUID() })

const keys = async () =>
  (await testDb.db.prisma.idempotencyKey.findMany({ where: { userId: testDb.userId } })).length

async function use(hold: HeldKey) {
  const record = await planTestRecord(testDb.db, hold.userId, 1, { idempotencyKey: hold })
  await insertRecord(testDb.db, record)
  return record
}

function expire(hold: HeldKey) {
  return testDb.db.prisma.idempotencyKey.updateMany({
    where: { userId: hold.userId, key: hold.key },
    data: { expiresAt: new Date() },
  })
}

describe('while an upload runs', () => {
  test('of twenty who want the same key at once one gets it', async () => {
    const hold = newHold()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => holdKey(testDb.db, rival(hold), MINUTE)),
    )
    expect(answers.filter((answer) => answer === 'held')).toHaveLength(1)
    expect(answers.filter((answer) => answer === 'busy')).toHaveLength(19)
  })

  test('the same key of another user is another key', async () => {
    const hold = newHold()
    expect(await holdKey(testDb.db, hold, MINUTE)).toBe('held')
    expect(await holdKey(testDb.db, { ...rival(hold), userId: randomUUID() }, MINUTE)).toBe('held')
  })

  test('its hold can be renewed, and nobody else has it then', async () => {
    const hold = newHold()
    await holdKey(testDb.db, hold, LAPSED)
    expect(await holdKey(testDb.db, hold, MINUTE)).toBe('held')
    expect(await holdKey(testDb.db, rival(hold), MINUTE)).toBe('busy')
  })

  test('a hold that lapsed is somebody elses, and is not renewed after that', async () => {
    const hold = newHold()
    await holdKey(testDb.db, hold, LAPSED)
    expect(await holdKey(testDb.db, rival(hold), MINUTE)).toBe('held')
    expect(await holdKey(testDb.db, hold, MINUTE)).toBe('busy')
  })

  test('what it gives back is free at once; what is no longer its own it cannot give back', async () => {
    const hold = newHold()
    await holdKey(testDb.db, hold, MINUTE)
    await releaseKey(testDb.db, rival(hold))
    expect(await findKey(testDb.db, hold)).toBe('busy')
    await releaseKey(testDb.db, hold)
    expect(await findKey(testDb.db, hold)).toBeUndefined()
    expect(await holdKey(testDb.db, rival(hold), MINUTE)).toBe('held')
  })
})

describe('once a record has it', () => {
  test('whoever wants it is told what was made; a renewal that comes late and a release change nothing', async () => {
    const hold = newHold()
    await holdKey(testDb.db, hold, MINUTE)
    const { id, wavSha256 } = await use(hold)
    const made = { id, userId: testDb.userId, wavSha256, optionsSha256: hold.optionsSha256 }
    expect(await holdKey(testDb.db, rival(hold), MINUTE)).toEqual(made)
    expect(await holdKey(testDb.db, hold, MINUTE)).toEqual(made)
    await releaseKey(testDb.db, hold)
    expect(await findKey(testDb.db, hold)).toEqual(made)
  })

  test('for a day: then it is as if it had never been used', async () => {
    const hold = newHold()
    const first = await use(hold)
    const { expiresAt } = await testDb.db.prisma.idempotencyKey.findFirstOrThrow({ where: { key: hold.key } })
    const { createdAt } = await testDb.db.prisma.record.findUniqueOrThrow({ where: { key: first.key } })
    expect(expiresAt.getTime() - createdAt.getTime()).toBe(86_400_000)
    await expire(hold)
    expect(await findKey(testDb.db, hold)).toBeUndefined()
    const second = await use(rival(hold))
    expect(await findKey(testDb.db, hold)).toMatchObject({ id: second.id })
  })

  test('of ten whose holds lapsed, and who finish at once, one makes a record; of the others nothing is left', async () => {
    const hold = newHold()
    const records = () => testDb.db.prisma.record.count()
    const before = await records()
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => use(rival(hold))))
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused).toHaveLength(9)
    for (const { reason } of refused) expect(reason).toBeInstanceOf(KeyAlreadyUsed)
    expect(await records()).toBe(before + 1)
  })

  test('a record that cannot be written leaves the key to its upload', async () => {
    const hold = newHold()
    await holdKey(testDb.db, hold, MINUTE)
    const record = await planTestRecord(testDb.db, testDb.userId, 1, { idempotencyKey: hold, samples: 0 })
    await expect(insertRecord(testDb.db, record)).rejects.toThrow(/record_source_is_audio/)
    expect(await findKey(testDb.db, hold)).toBe('busy')
  })

  test('a deleted record keeps it, and with its user it goes', async () => {
    const userId = await insertUser(testDb.db)
    const hold = newHold({ userId })
    const { id, key } = await use(hold)
    await deleteRecord(testDb.db, key)
    expect(await findKey(testDb.db, hold)).toMatchObject({ id })
    await deleteUser(testDb.db, userId)
    expect(await findKey(testDb.db, hold)).toBeUndefined()
    expect(await testDb.db.prisma.idempotencyKey.count({ where: { userId } })).toBe(0)
  })
})

test('what has expired is forgotten in batches, by an index, and nothing else', async () => {
  const [kept, used] = [newHold(), newHold()]
  await holdKey(testDb.db, kept, MINUTE)
  await use(used)
  while ((await purgeKeys(testDb.db, 1_000)) > 0);
  const before = await keys()
  for (let key = 0; key < 5; key++) await holdKey(testDb.db, newHold(), LAPSED)
  expect([
    await purgeKeys(testDb.db, 3),
    await purgeKeys(testDb.db, 3),
    await purgeKeys(testDb.db, 3),
  ]).toEqual([3, 2, 0])
  expect(await keys()).toBe(before)
  expect(await findKey(testDb.db, kept)).toBe('busy')
  expect(await findKey(testDb.db, used)).toMatchObject({ userId: testDb.userId })

  const client = await testDb.db.pool.connect()
  try {
    await client.query('SET enable_seqscan = off')
    const { rows } = await client.query(
      'EXPLAIN SELECT FROM idempotency_key WHERE expires_at <= now() ORDER BY expires_at LIMIT 1000',
    )
    expect(JSON.stringify(rows)).toContain('idempotency_key_expires_at_idx')
  } finally {
    client.release(true)
  }
})
