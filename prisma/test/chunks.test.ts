/** Reading an MP3 in ranges and windows, held against slicing the bytes that were written. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { insertChunk, readMp3 } from '../src/chunks.ts'
import { isDatabaseAway } from '../src/database-away.ts'
import { finishRecord } from '../src/finish.ts'
import { deleteRecord } from '../src/records.ts'
import { completeSegment } from '../src/segments.ts'
import { takeSegment } from '../src/take-segment.ts'
import { insertTestRecord, sha256 } from './support/material.ts'
import { useTestDb } from './support/test-db.ts'

const MIB = 1_048_576
const testDb = useTestDb()

/** @param segments sizes of the parts of each. @returns the key of a ready record, and its bytes, the head in front. */
async function insertMp3(segments: number[][], headBytes: number): Promise<{ key: bigint; mp3: Buffer }> {
  const { db, userId } = testDb
  const key = await insertTestRecord(db, userId, segments.length)
  const written: Buffer[] = [randomBytes(headBytes)]
  for (const [seq, parts] of segments.entries()) {
    await takeSegment(db, { recordKey: key, seq, worker: 'test' })
    for (const [part, size] of parts.entries()) {
      const data = randomBytes(size)
      written.push(data)
      expect(await insertChunk(db, { recordKey: key, seq, attempt: 1, part, data })).toBe(true)
    }
    await completeSegment(db, {
      recordKey: key,
      seq,
      attempt: 1,
      bytes: parts.reduce((sum, size) => sum + size, 0),
    })
  }
  const mp3 = Buffer.concat(written)
  const head = mp3.subarray(0, headBytes)
  expect(await finishRecord(db, { recordKey: key, head, mp3Size: mp3.length, mp3Sha256: sha256(mp3) })).toBe(
    true,
  )
  return { key, mp3 }
}

async function read(key: bigint, range?: { start: number; end: number }): Promise<Buffer> {
  return Buffer.concat(await collect(readMp3(testDb.db, key, range)))
}

async function collect(mp3: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const buffers: Buffer[] = []
  for await (const buffer of mp3) buffers.push(buffer)
  return buffers
}

test('any range of any MP3 is what slicing gives', async () => {
  const sizes = fc.array(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 4,
  })
  const ends = fc.array(fc.tuple(fc.nat(4_000), fc.nat(4_000)), { minLength: 10, maxLength: 10 })
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 300 }), ends, async (segments, headBytes, pairs) => {
      const { key, mp3 } = await insertMp3(segments, headBytes)
      expect(await read(key)).toEqual(mp3)
      for (const [a, b] of pairs) {
        const [from, to] = [a % mp3.length, b % (mp3.length + 1)]
        const range = { start: Math.min(from, to), end: Math.max(from, to) }
        expect(await read(key, range)).toEqual(mp3.subarray(range.start, range.end))
      }
    }),
    { numRuns: 20 },
  )
})

test('an MP3 of several windows is read whole, in buffers of at most 1 MiB, with ranges across the windows', async () => {
  const { key, mp3 } = await insertMp3([Array(10).fill(MIB), [MIB, MIB, 1], [3 * 4096, MIB, 77]], 417)
  const buffers = await collect(readMp3(testDb.db, key))
  expect(Buffer.concat(buffers).equals(mp3)).toBe(true)
  expect(Math.max(...buffers.map((buffer) => buffer.length))).toBe(MIB)
  for (const [start, end] of [
    [8 * MIB - 5, 9 * MIB],
    [1, mp3.length - 1],
    [mp3.length - 1, mp3.length],
    [417, 418],
  ] as const) {
    expect((await read(key, { start, end })).equals(mp3.subarray(start, end))).toBe(true)
  }
})

test('a head of more than 1 MiB, such as one with a picture in its tag, is kept in several chunks', async () => {
  const { key, mp3 } = await insertMp3([[100]], 2 * MIB + 5)
  expect((await read(key)).equals(mp3)).toBe(true)
})

test('a record without chunks, and an empty range, give nothing; a range that is not there is an error', async () => {
  const { key, mp3 } = await insertMp3([[100]], 10)
  expect(await read(key, { start: 50, end: 50 })).toHaveLength(0)
  await expect(read(key, { start: 5_000, end: 6_000 })).rejects.toThrow(/bytes 5000 to 6000/)
  await expect(read(key, { start: 0, end: mp3.length + 1 })).rejects.toThrow(/there are 110/)
  expect(await read(await insertTestRecord(testDb.db, testDb.userId))).toHaveLength(0)
})

test('two thousand who ask for the same at once share one reading; who asks later reads again', async () => {
  const { key, mp3 } = await insertMp3([[50_000]], 417)
  const range = { start: 0, end: mp3.length }
  const all = await Promise.all(Array.from({ length: 2_000 }, () => collect(readMp3(testDb.db, key, range))))
  expect(Buffer.concat(all[0] ?? []).equals(mp3)).toBe(true)
  expect(new Set(all.map(([buffer]) => buffer)).size).toBe(1)
  await deleteRecord(testDb.db, key)
  await expect(read(key, range)).rejects.toThrow(/removed while it was read/)
})

test('readers that have stopped in the middle hold no connection', async () => {
  const { key, mp3 } = await insertMp3([Array(9).fill(MIB)], 417)
  const slow = Array.from({ length: 20 }, () => readMp3(testDb.db, key)) // five times as many as there are connections
  for (const reader of slow) expect((await reader.next()).done).toBe(false)
  expect(testDb.db.copyPool.totalCount - testDb.db.copyPool.idleCount).toBe(0)
  expect((await read(key)).equals(mp3)).toBe(true)
  for (const reader of slow) await reader.return()
})

test('a reader whose record is deleted in the middle ends in an error, never in a shorter file', async () => {
  const { key } = await insertMp3([Array(12).fill(MIB)], 417)
  const reader = readMp3(testDb.db, key)
  await reader.next()
  await deleteRecord(testDb.db, key)
  await expect(collect(reader)).rejects.toThrow(/removed while it was read/)
  expect(testDb.db.copyPool.idleCount).toBe(testDb.db.copyPool.totalCount)
})

test('a reader whose connection breaks in a window says that the database is away, and the next one reads on a new one', async () => {
  const { key, mp3 } = await insertMp3([Array(9).fill(MIB)], 417)
  const { db } = testDb
  const reader = readMp3(db, key)
  await reader.next()
  const blocker = await db.pool.connect()
  try {
    await blocker.query('BEGIN; LOCK TABLE chunk IN ACCESS EXCLUSIVE MODE')
    const reading = collect(reader).catch((error: unknown) => error)
    const copy = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND query LIKE 'COPY%' AND wait_event_type = 'Lock'`
    while ((await db.pool.query(copy)).rowCount === 0) await sleep(5)
    expect(isDatabaseAway(await reading)).toBe(true)
  } finally {
    await blocker.query('ROLLBACK')
    blocker.release()
  }
  expect((await read(key)).equals(mp3)).toBe(true)
})

test('a read leaves no timer behind that would keep its process alive', async () => {
  const { key } = await insertMp3([[1_000]], 100)
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  const before = timers()
  for (let times = 0; times < 20; times++) await read(key)
  expect(timers() - before).toBeLessThan(5) // connections that are idle have one each
})
