/** The life of a segment: taken, postponed, handed back, done; and what is counted against it. */
import { expect, test } from 'vitest'
import { insertChunk } from '../src/chunks.ts'
import { failRecord } from '../src/fail-record.ts'
import { dueSegments, usedUpSegments } from '../src/reconcile.ts'
import { deleteRecord } from '../src/records.ts'
import { completeSegment, handBackSegment, postponeSegment, reportProgress } from '../src/segments.ts'
import { MAX_DEATHS, takeSegment } from '../src/take-segment.ts'
import { insertTestRecord } from './support/material.ts'
import { useTestDb } from './support/test-db.ts'

const testDb = useTestDb()

const take = (recordKey: bigint, seq = 0) => takeSegment(testDb.db, { recordKey, seq, worker: 'worker 1' })

/** Also after a death that made it wait. */
async function takeWhenDue(recordKey: bigint) {
  const taken = await take(recordKey)
  if (taken !== undefined) return taken
  await testDb.db.pool.query('UPDATE segment SET next_try_at = now() WHERE record_key = $1', [recordKey])
  return await take(recordKey)
}

async function segmentRow(recordKey: bigint, seq = 0) {
  const { rows } = await testDb.db.pool.query('SELECT * FROM segment WHERE record_key = $1 AND seq = $2', [
    recordKey,
    seq,
  ])
  return rows[0]
}

async function recordRow(key: bigint) {
  const { rows } = await testDb.db.pool.query('SELECT * FROM record WHERE key = $1', [key])
  return rows[0]
}

test('a taken segment says all that is needed to transcode it, and its record is in processing', async () => {
  const key = await insertTestRecord(testDb.db, testDb.userId, 2)
  expect(await take(key, 1)).toEqual({
    recordKey: key,
    seq: 1,
    attempt: 1,
    errors: 0,
    startByte: 4_044,
    endByte: 8_044,
    firstFrame: 10,
    frames: 10,
    warmUpFrames: 2,
    source: {
      encoding: 's16le',
      sampleRate: 44_100,
      channels: 2,
      bitsPerSample: 16,
      bytesPerSample: 2,
      blockAlign: 4,
      dataStart: 44,
    },
    samples: 2_000,
    wavBytes: 8_044,
    segmentsTotal: 2,
    options: { quality: 2 },
  })
  expect(await recordRow(key)).toMatchObject({ status: 'processing', started_at: expect.any(Date) })
  expect(await segmentRow(key, 1)).toMatchObject({
    worker: 'worker 1',
    taken_at: expect.any(Date),
    deaths: 0,
  })
})

test('a segment that does not exist is not taken', async () => {
  const key = await insertTestRecord(testDb.db, testDb.userId)
  expect(await take(key, 7)).toBeUndefined()
  expect(await take(key + 1_000_000n)).toBeUndefined()
})

test('a segment that is done is not taken again', async () => {
  const key = await insertTestRecord(testDb.db, testDb.userId, 2)
  await take(key)
  expect(await completeSegment(testDb.db, { recordKey: key, seq: 0, attempt: 1, bytes: 5 })).toBe('done')
  expect(await take(key)).toBeUndefined()
  expect(await recordRow(key)).toMatchObject({ segments_done: 1, progress: 0.5 })
})

test('the segment that makes a record full says so, once', async () => {
  const key = await insertTestRecord(testDb.db, testDb.userId, 2)
  const done = async (seq: number) => {
    await take(key, seq)
    return await completeSegment(testDb.db, { recordKey: key, seq, attempt: 1, bytes: 5 })
  }
  expect([await done(1), await done(0)]).toEqual(['done', 'last'])
  expect(await completeSegment(testDb.db, { recordKey: key, seq: 0, attempt: 1, bytes: 5 })).toBe('stale')
})

test('an attempt that never said how it ended is counted as a death, and its chunks are gone', async () => {
  const key = await insertTestRecord(testDb.db, testDb.userId)
  await take(key)
  await insertChunk(testDb.db, { recordKey: key, seq: 0, attempt: 1, part: 0, data: Buffer.from('half') })
  expect(await take(key)).toMatchObject({ attempt: 2, errors: 0 })
  expect(await segmentRow(key)).toMatchObject({ deaths: 1, errors: 0 })
  const { rowCount } = await testDb.db.pool.query('SELECT FROM chunk WHERE record_key = $1', [key])
  expect(rowCount).toBe(0)
})

test('after ten deaths a segment is used up, and not before', async () => {
  const key = await insertTestRecord(testDb.db, testDb.userId)
  for (let deaths = 0; deaths < MAX_DEATHS; deaths++) {
    expect(await takeWhenDue(key)).toMatchObject({ errors: 0 })
    expect(await segmentRow(key)).toMatchObject({ deaths })
  }
  const mine = async () =>
    (await usedUpSegments(testDb.db, { segmentAttempts: 3 })).filter(({ recordKey }) => recordKey === key)
  expect(await mine()).toEqual([])
  expect(await take(key)).toBeUndefined()
  expect(await mine()).toEqual([
    { recordKey: key, seq: 0, errors: 0, deaths: MAX_DEATHS, failure: undefined },
  ])
  expect(await take(key)).toBeUndefined()
  const due = await dueSegments(testDb.db, { recordKey: key - 1n, seq: 0 }, 1)
  expect(due).not.toContainEqual({ recordKey: key, seq: 0 })
})

test('after the third death a segment keeps apart for a while from those that died with it', async () => {
  const key = await insertTestRecord(testDb.db, testDb.userId)
  for (const attempt of [1, 2, 3]) expect(await take(key)).toMatchObject({ attempt })
  expect(await take(key)).toBeUndefined()
  const row = await segmentRow(key)
  expect(row).toMatchObject({ deaths: 3, attempt: 4, taken_at: null })
  const waitsMs = row?.next_try_at.getTime() - Date.now()
  expect(waitsMs).toBeLessThanOrEqual(20_000)
  expect(await completeSegment(testDb.db, { recordKey: key, seq: 0, attempt: 3, bytes: 5 })).toBe('stale')
  expect(await takeWhenDue(key)).toMatchObject({ attempt: 5 })
  expect(await segmentRow(key)).toMatchObject({ deaths: 3 })
})

test('a postponed segment counts an error, is due after its time, and is used up after so many', async () => {
  const key = await insertTestRecord(testDb.db, testDb.userId)
  await take(key)
  const later = { recordKey: key, seq: 0, attempt: 1, failure: 'disk\0full', retryInMs: 60_000 }
  expect(await postponeSegment(testDb.db, later)).toBe(true)
  expect(await postponeSegment(testDb.db, later)).toBe(false)
  expect(await take(key)).toBeUndefined()
  const row = await segmentRow(key)
  expect(row).toMatchObject({ errors: 1, deaths: 0, taken_at: null, failure: 'diskfull' })
  const { rows } = await testDb.db.pool.query(
    `SELECT next_try_at - now() BETWEEN '50 seconds' AND '60 seconds' AS fits FROM segment WHERE record_key = $1`,
    [key],
  )
  expect(rows).toEqual([{ fits: true }])
  const used = async (segmentAttempts: number) =>
    (await usedUpSegments(testDb.db, { segmentAttempts })).map((s) => s.recordKey)
  expect(await used(2)).not.toContain(key)
  expect(await used(1)).toContain(key)
})

test('a segment that was handed back is due at once, with nothing counted', async () => {
  const key = await insertTestRecord(testDb.db, testDb.userId)
  await take(key)
  expect(await handBackSegment(testDb.db, { recordKey: key, seq: 0, attempt: 1 })).toBe(true)
  expect(await handBackSegment(testDb.db, { recordKey: key, seq: 0, attempt: 1 })).toBe(false)
  expect(await take(key)).toMatchObject({ attempt: 2, errors: 0 })
  expect(await segmentRow(key)).toMatchObject({ deaths: 0, errors: 0 })
})

test('progress of the segments adds up to that of the record, and never falls', async () => {
  const key = await insertTestRecord(testDb.db, testDb.userId, 4)
  const report = (attempt: number, progress: number) =>
    reportProgress(testDb.db, { recordKey: key, seq: 2, attempt, progress })
  const progress = async () => (await recordRow(key)).progress
  await take(key, 2)
  expect(await report(1, 0.5)).toBe(true)
  expect(await progress()).toBe(0.125)
  await take(key, 2)
  expect(await report(1, 1)).toBe(false)
  expect(await report(2, 0.25)).toBe(true)
  expect(await progress()).toBe(0.125)
  await completeSegment(testDb.db, { recordKey: key, seq: 2, attempt: 2, bytes: 1 })
  expect(await progress()).toBe(0.25)
})

test('a failed record keeps its reason and nothing else, and no attempt writes to it any more', async () => {
  const key = await insertTestRecord(testDb.db, testDb.userId, 2)
  await take(key, 0)
  await take(key, 1)
  await insertChunk(testDb.db, { recordKey: key, seq: 0, attempt: 1, part: 0, data: Buffer.from('half') })
  const failure = { recordKey: key, code: 'undecodable', detail: 'no\0 sense' } as const
  expect(await failRecord(testDb.db, { ...failure, attempt: { seq: 0, attempt: 2 } })).toBe(false)
  expect(await failRecord(testDb.db, { ...failure, attempt: { seq: 0, attempt: 1 } })).toBe(true)
  expect(await failRecord(testDb.db, failure)).toBe(false)
  expect(await recordRow(key)).toMatchObject({
    status: 'failed',
    failure_code: 'undecodable',
    failure_detail: 'no sense',
  })
  expect(await segmentRow(key, 1)).toBeUndefined()
  const late = { recordKey: key, seq: 1, attempt: 1, part: 0, data: Buffer.from('late') }
  expect(await insertChunk(testDb.db, late)).toBe(false)
  expect(await completeSegment(testDb.db, { ...late, bytes: 4 })).toBe('stale')
  expect(await take(key, 1)).toBeUndefined()
})

test('a record deleted in the middle takes no more writes, and workers are told', async () => {
  const key = await insertTestRecord(testDb.db, testDb.userId)
  await take(key)
  const listener = await testDb.db.pool.connect()
  const heard = new Promise<string | undefined>((resolve) => {
    listener.once('notification', ({ payload }) => resolve(payload))
  })
  try {
    await listener.query('LISTEN wavemill_cancel')
    expect(await deleteRecord(testDb.db, key)).toBe(true)
    expect(await heard).toBe(String(key))
  } finally {
    listener.release(true)
  }
  const late = { recordKey: key, seq: 0, attempt: 1, part: 0, data: Buffer.from('late') }
  expect(await insertChunk(testDb.db, late)).toBe(false)
  expect(await reportProgress(testDb.db, { ...late, progress: 1 })).toBe(false)
  expect(await completeSegment(testDb.db, { ...late, bytes: 4 })).toBe('stale')
  expect(await postponeSegment(testDb.db, { ...late, failure: '', retryInMs: 0 })).toBe(false)
  expect(await failRecord(testDb.db, { recordKey: key, code: 'undecodable', detail: '' })).toBe(false)
})
