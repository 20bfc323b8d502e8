/** What is announced of a record's life, and what is not. */
import { createLog } from '@wavemill/core/log'
import { afterEach, expect, test, vi } from 'vitest'
import { RECORD_CHANNEL } from '../src/announce.ts'
import { failRecord } from '../src/fail-record.ts'
import { finishRecord } from '../src/finish.ts'
import { type Listener, listen } from '../src/listen.ts'
import { deleteRecord, removeRecord } from '../src/records.ts'
import { completeSegment, reportProgress } from '../src/segments.ts'
import { takeSegment } from '../src/take-segment.ts'
import { insertTestRecord, sha256 } from './support/material.ts'
import { useTestDb } from './support/test-db.ts'

const testDb = useTestDb()
const listeners: Listener[] = []
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close()
})

/** Notices come in the order of the commits: once `mark` is heard, all before it were. */
async function listenToRecords() {
  const heard: string[] = []
  let isListening = false
  const listener = listen({
    url: testDb.url,
    applicationName: 'wavemill announcement test',
    channel: RECORD_CHANNEL,
    log: createLog('test', 'silent'),
    onNotice: (payload) => heard.push(payload),
    onListening() {
      isListening = true
    },
  })
  listeners.push(listener)
  await vi.waitFor(() => expect(isListening).toBe(true), { timeout: 30_000 })
  return async function heardOf(work: () => Promise<unknown>): Promise<string[]> {
    await work()
    await testDb.db.pool.query('SELECT pg_notify($1, $2)', [RECORD_CHANNEL, 'mark'])
    await vi.waitFor(() => expect(heard).toContain('mark'), { timeout: 30_000 })
    return heard.splice(0).slice(0, -1)
  }
}

test('each change of status and progress is announced with the key, and once', async () => {
  const { db } = testDb
  const heardOf = await listenToRecords()
  const key = await insertTestRecord(db, testDb.userId)
  const attempt = { recordKey: key, seq: 0, attempt: 1 }
  const finish = () =>
    finishRecord(db, { recordKey: key, head: Buffer.from('h'), mp3Size: 2, mp3Sha256: sha256('') })
  const steps = [
    () => takeSegment(db, { recordKey: key, seq: 0, worker: 'test' }),
    () => reportProgress(db, { ...attempt, progress: 0.5 }),
    () => completeSegment(db, { ...attempt, bytes: 1 }),
    finish,
    () => deleteRecord(db, key),
  ]
  for (const step of steps) expect(await heardOf(step)).toEqual([String(key)])
})

test('failing and expiring are announced as well', async () => {
  const { db } = testDb
  const heardOf = await listenToRecords()
  const key = await insertTestRecord(db, testDb.userId)
  const fail = () => failRecord(db, { recordKey: key, code: 'source-lost', detail: 'It is gone.' })
  expect(await heardOf(fail)).toEqual([String(key)])
  expect(await heardOf(() => removeRecord(db, key, 'expired'))).toEqual([String(key)])
})

test('what changes nothing is not announced: a stale attempt, a second end', async () => {
  const { db } = testDb
  const heardOf = await listenToRecords()
  const key = await insertTestRecord(db, testDb.userId)
  const stale = { recordKey: key, seq: 0, attempt: 7 }
  expect(await heardOf(() => reportProgress(db, { ...stale, progress: 0.5 }))).toEqual([])
  expect(await heardOf(() => completeSegment(db, { ...stale, bytes: 1 }))).toEqual([])
  await deleteRecord(db, key)
  await heardOf(() => Promise.resolve())
  expect(await heardOf(() => deleteRecord(db, key))).toEqual([])
  expect(await heardOf(() => takeSegment(db, { recordKey: key, seq: 0, worker: 'test' }))).toEqual([])
})
