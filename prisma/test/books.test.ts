/** Every fault that the books can report, planted by hand and found; and a service at work, in which there is none. */
import { randomBytes, randomUUID } from 'node:crypto'
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { checkBooks, type FaultKind } from '../src/books.ts'
import { insertChunk } from '../src/chunks.ts'
import { failRecord } from '../src/fail-record.ts'
import { finishRecord } from '../src/finish.ts'
import { insertRecord } from '../src/insert-record.ts'
import { deleteRecord, removeRecord } from '../src/records.ts'
import { completeSegment, postponeSegment } from '../src/segments.ts'
import { takeSegment } from '../src/take-segment.ts'
import { planTestRecord, sha256 } from './support/material.ts'
import { useTestDb } from './support/test-db.ts'
import { storeWav, useWavStore } from './support/wav-folder.ts'

const SEGMENT_ATTEMPTS = 3

const testDb = useTestDb()
const wavStore = useWavStore()

const check = (settleMs = 0) =>
  checkBooks(testDb.db, wavStore(), { settleMs, segmentAttempts: SEGMENT_ATTEMPTS })

/** A statement that the constraints between tables do not stop. */
async function plant(sql: string, values: unknown[] = []): Promise<void> {
  const client = await testDb.db.pool.connect()
  try {
    await client.query('SET session_replication_role = replica')
    await client.query(sql, values)
  } finally {
    client.release(true)
  }
}

async function waitingRecord(segments = 2): Promise<bigint> {
  const record = await planTestRecord(testDb.db, testDb.userId, segments)
  await storeWav(wavStore(), record.key, record.wavBytes)
  await insertRecord(testDb.db, record)
  return record.key
}

async function encode(recordKey: bigint, seq: number): Promise<Buffer> {
  const taken = await takeSegment(testDb.db, { recordKey, seq, worker: 'test' })
  const attempt = taken?.attempt ?? 0
  const parts = [randomBytes(300), randomBytes(200)]
  for (const [part, data] of parts.entries()) {
    await insertChunk(testDb.db, { recordKey, seq, attempt, part, data })
  }
  await completeSegment(testDb.db, { recordKey, seq, attempt, bytes: 500 })
  return Buffer.concat(parts)
}

async function fullRecord(): Promise<{ key: bigint; audio: Buffer }> {
  const key = await waitingRecord(2)
  return { key, audio: Buffer.concat([await encode(key, 0), await encode(key, 1)]) }
}

async function readyRecord(): Promise<bigint> {
  const { key, audio } = await fullRecord()
  const mp3 = Buffer.concat([randomBytes(50), audio])
  const head = mp3.subarray(0, 50)
  await finishRecord(testDb.db, { recordKey: key, head, mp3Size: mp3.length, mp3Sha256: sha256(mp3) })
  await wavStore().remove(key)
  return key
}

async function failedRecord(): Promise<bigint> {
  const key = await waitingRecord()
  await failRecord(testDb.db, { recordKey: key, code: 'undecodable', detail: '' })
  await wavStore().remove(key)
  return key
}

async function addFile(name: string, ageMs = 0): Promise<{ file: string }> {
  const path = join(wavStore().dir, name)
  await writeFile(path, 'bytes')
  await utimes(path, new Date(), new Date(Date.now() - ageMs))
  return { file: name }
}

const insertSegment = `INSERT INTO segment (record_key, seq, start_byte, end_byte, first_frame, frames, warm_up_frames)
  VALUES ($1, 9, 0, 1, 0, 1, 0)`
const insertKey = `INSERT INTO idempotency_key (user_id, key, upload_id, record_key, options_sha256, expires_at)
  VALUES ($1, $2, gen_random_uuid(), $3, $4, now() + $5::interval)`
const insertChunkRow = `INSERT INTO chunk (record_key, segment, part, data, size) VALUES ($1, $2, 0, 'x', 1)`

/** Plants the fault, and says where it must be found. */
const faults: Record<FaultKind, () => Promise<{ recordKey?: bigint; file?: string }>> = {
  async 'segments-missing'() {
    const recordKey = await waitingRecord()
    await plant('DELETE FROM segment WHERE record_key = $1 AND seq = 1', [recordKey])
    return { recordKey }
  },
  async 'wrong-count'() {
    const recordKey = await waitingRecord()
    await encode(recordKey, 1)
    await plant('UPDATE record SET segments_done = 0 WHERE key = $1', [recordKey])
    return { recordKey }
  },
  async 'segment-incomplete'() {
    const recordKey = await waitingRecord()
    await encode(recordKey, 1)
    await plant('DELETE FROM chunk WHERE record_key = $1 AND part = 1', [recordKey])
    return { recordKey }
  },
  async 'used-up-not-failed'() {
    const recordKey = await waitingRecord()
    for (let error = 1; error <= SEGMENT_ATTEMPTS; error++) {
      await takeSegment(testDb.db, { recordKey, seq: 0, worker: 'test' })
      await postponeSegment(testDb.db, { recordKey, seq: 0, attempt: error, failure: '', retryInMs: -1 })
    }
    return { recordKey }
  },
  async 'never-due'() {
    const recordKey = await waitingRecord()
    await plant(`UPDATE segment SET next_try_at = 'infinity' WHERE record_key = $1 AND seq = 1`, [recordKey])
    return { recordKey }
  },
  async 'full-not-finished'() {
    return { recordKey: (await fullRecord()).key }
  },
  async 'no-head'() {
    const recordKey = await readyRecord()
    // The size and the digest are those of what is left, so that only the head is missed.
    await plant('DELETE FROM chunk WHERE record_key = $1 AND segment = -1', [recordKey])
    await plant(
      `UPDATE record SET mp3_size = 1000, mp3_sha256 =
         (SELECT sha256(string_agg(data, '' ORDER BY segment, part)) FROM chunk WHERE record_key = $1) WHERE key = $1`,
      [recordKey],
    )
    return { recordKey }
  },
  async 'wrong-size'() {
    const recordKey = await readyRecord()
    await plant('DELETE FROM chunk WHERE record_key = $1 AND segment = 1 AND part = 0', [recordKey])
    return { recordKey }
  },
  async 'wrong-digest'() {
    const recordKey = await readyRecord()
    await plant(
      'UPDATE chunk SET data = set_bit(data, 77, 1 - get_bit(data, 77)) WHERE record_key = $1 AND segment = 1 AND part = 0',
      [recordKey],
    )
    return { recordKey }
  },
  async 'chunks-without-record'() {
    await plant(insertChunkRow, [987_654_321n, 0])
    return { recordKey: 987_654_321n }
  },
  async 'chunks-of-ended-record'() {
    const recordKey = await failedRecord()
    await plant(insertChunkRow, [recordKey, 0])
    return { recordKey }
  },
  async 'stray-chunks'() {
    const recordKey = await waitingRecord()
    await plant(insertChunkRow, [recordKey, -1])
    return { recordKey }
  },
  async 'segments-without-record'() {
    await plant(insertSegment, [987_654_322n])
    return { recordKey: 987_654_322n }
  },
  async 'segments-of-ended-record'() {
    const recordKey = await failedRecord()
    await plant(insertSegment, [recordKey])
    return { recordKey }
  },
  async 'key-of-another-user'() {
    const recordKey = await readyRecord()
    await plant(insertKey, [randomUUID(), 'key', recordKey, randomBytes(32), '1 hour'])
    return { recordKey }
  },
  async 'keys-not-forgotten'() {
    await plant(insertKey, [testDb.userId, 'key', null, null, '-2 hours'])
    return {}
  },
  async 'wav-missing'() {
    const recordKey = await waitingRecord()
    await wavStore().remove(recordKey)
    return { recordKey }
  },
  async 'wav-wrong-size'() {
    const recordKey = await waitingRecord()
    await storeWav(wavStore(), recordKey, 17)
    return { recordKey }
  },
  async 'wav-not-needed'() {
    const recordKey = await readyRecord()
    return await addFile(`${recordKey}.wav`)
  },
  async 'stale-temporary'() {
    return await addFile('upload.part', 180_000)
  },
}

afterEach(async () => {
  await testDb.db.pool.query('TRUNCATE record CASCADE')
  for (const { name } of await wavStore().list()) await wavStore().removeFile(name)
})

for (const [kind, plantFault] of Object.entries(faults)) {
  test(`the fault ${kind} is found, and nothing else`, async () => {
    await healthyService()
    expect(await check()).toEqual([])
    const place = await plantFault()
    expect(await check()).toEqual([{ kind, ...place, detail: expect.stringMatching(/^[A-Z0-9].*\.$/) }])
  })
}

/** A record in each state, with what belongs to it. */
async function healthyService(): Promise<void> {
  await waitingRecord()
  await takeSegment(testDb.db, { recordKey: await waitingRecord(), seq: 0, worker: 'test' })
  await encode(await waitingRecord(), 1)
  await readyRecord()
  await failedRecord()
  for (const status of ['deleted', 'expired'] as const)
    await removeRecord(testDb.db, await readyRecord(), status)
  await plant(insertKey, [testDb.userId, 'held', null, null, '6 seconds'])
  await plant(insertKey, [testDb.userId, 'just lapsed', null, null, '-1 second'])
  await plant(insertKey, [testDb.userId, 'used', await readyRecord(), randomBytes(32), '24 hours'])
  await addFile('under-way.part')
}

test('of other ways to the same faults none is missed', async () => {
  const recordKey = await waitingRecord()
  await plant(insertChunkRow, [recordKey, 9]) // of a segment that there is not
  const another = await waitingRecord()
  await plant('UPDATE segment SET deaths = 10 WHERE record_key = $1 AND seq = 1', [another])
  const file = await addFile('somebody-elses.wav')
  const unknown = await addFile(`${another + 1_000n}.wav`, 3_700_000)
  const found = (await check()).map(({ kind, recordKey: key, file: name }) => [kind, key ?? name])
  expect(found.sort()).toEqual([
    ['stray-chunks', recordKey],
    ['used-up-not-failed', another],
    ['wav-not-needed', unknown.file],
    ['wav-not-needed', file.file],
  ])
})

test('a fresh file without a record is no fault: its upload may be under way, or ended with its API', async () => {
  const key = await waitingRecord()
  await addFile(`${key + 1_000n}.wav`)
  expect(await check()).toEqual([])
})

test('a fault on the last of many pages is found, and every fault of one record', async () => {
  await testDb.db.pool.query(
    `INSERT INTO record (id, user_id, file_name, codec, sample_rate, channels, bits_per_sample, source, samples, wav_bytes,
       wav_sha256, segments_total, status, mp3_size, mp3_sha256, segments_done, ready_at)
     SELECT gen_random_uuid(), $1, '', '', 1, 1, 1, '{}', 1, 1, sha256(''), 1, 'ready', 1, sha256('x'), 1, now()
     FROM generate_series(1, 1300)`,
    [testDb.userId],
  )
  await testDb.db.pool.query(`INSERT INTO chunk SELECT key, -1, 0, 'x', 1 FROM record`)
  const last = await readyRecord()
  expect(await check()).toEqual([])
  await plant('DELETE FROM chunk WHERE record_key = $1', [last])
  expect((await check()).map(({ kind, recordKey }) => [kind, recordKey])).toEqual([
    ['no-head', last],
    ['wrong-size', last],
  ])
})

test('what is put right before the second look is not reported', async () => {
  const { file } = await addFile('77777.wav')
  const looking = check(500)
  await sleep(250)
  await wavStore().removeFile(file)
  expect(await looking).toEqual([])
})

test('a service at work has no faults', async () => {
  let isOver = false
  async function work(): Promise<void> {
    while (!isOver) {
      const key = await readyRecord()
      await failedRecord()
      await deleteRecord(testDb.db, key)
    }
  }
  const working = [work(), work(), work()]
  try {
    for (let look = 0; look < 10; look++) expect(await check(200)).toEqual([])
  } finally {
    isOver = true
    await Promise.all(working)
  }
})

test('what cannot be looked at is an error, never a clean book', async () => {
  await testDb.db.pool.query('ALTER TABLE chunk RENAME TO elsewhere')
  try {
    await expect(check()).rejects.toThrow(/chunk/)
  } finally {
    await testDb.db.pool.query('ALTER TABLE elsewhere RENAME TO chunk')
  }
})
