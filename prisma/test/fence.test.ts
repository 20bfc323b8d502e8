/** The fence under attack: rivals on the same segments and deletions in the middle, at random moments. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FailureCode } from '@wavemill/core/failures'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { insertChunk } from '../src/chunks.ts'
import { failRecord } from '../src/fail-record.ts'
import { finishRecord } from '../src/finish.ts'
import { dueSegments, fullRecords, usedUpSegments } from '../src/reconcile.ts'
import { deleteRecord } from '../src/records.ts'
import { completeSegment, handBackSegment, postponeSegment } from '../src/segments.ts'
import { takeSegment } from '../src/take-segment.ts'
import { insertTestRecord, sha256 } from './support/material.ts'
import { useTestDb } from './support/test-db.ts'

const RECORDS = 3
const SEGMENTS = 3

const testDb = useTestDb({ poolSize: 12 })

/** One worker's attempt: it writes a chunk after each pause, and ends in one of the ways in which attempts end. */
const rivals = fc.array(
  fc.record({
    record: fc.nat(RECORDS - 1),
    seq: fc.nat(SEGMENTS - 1),
    startMs: fc.nat(25),
    pausesMs: fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }),
    ending: fc.constantFrom(
      'complete',
      'complete',
      'complete',
      'complete',
      'die',
      'postpone',
      'hand back',
      'fail',
    ),
  }),
  { minLength: 8, maxLength: 40 },
)
type Rival = typeof rivals extends fc.Arbitrary<(infer R)[]> ? R : never

const deletions = fc.array(fc.record({ record: fc.nat(RECORDS - 1), atMs: fc.nat(50) }), { maxLength: 2 })

/** What everybody was told, to be held against what the tables say. */
interface Witness {
  readonly finishers: bigint[]
  readonly lasts: bigint[]
  readonly removed: bigint[]
  readonly failed: bigint[]
  /** For each attempt that was told that it completed its segment: how many chunks it wrote. */
  readonly completed: Map<string, number>
}

test('of all rivals one completes a segment and one finishes a record, and nothing of the others is left', async () => {
  const seed = Number(process.env.FENCE_SEED ?? Date.now() % 2 ** 31)
  console.log(`fence: FENCE_SEED=${seed}`)
  await fc.assert(
    fc.asyncProperty(rivals, deletions, async (attempts, deletes) => {
      const { db, userId } = testDb
      const keys: bigint[] = []
      for (let record = 0; record < RECORDS; record++) keys.push(await insertTestRecord(db, userId, SEGMENTS))
      const keyOf = (record: number) => keys[record] ?? 0n
      const witness: Witness = { finishers: [], lasts: [], removed: [], failed: [], completed: new Map() }
      await Promise.all([
        ...attempts.map((rival) => attack(witness, keyOf(rival.record), rival)),
        ...deletes.map(async ({ record, atMs }) => {
          await sleep(atMs)
          if (await deleteRecord(db, keyOf(record))) witness.removed.push(keyOf(record))
        }),
      ])
      await settleTheRest(witness)
      for (const key of keys) await expectWhole(witness, key)
    }),
    { seed, numRuns: 60, endOnFailure: true },
  )
})

async function attack(witness: Witness, recordKey: bigint, rival: Rival): Promise<void> {
  const { db } = testDb
  await sleep(rival.startMs)
  const taken = await takeSegment(db, { recordKey, seq: rival.seq, worker: 'rival' })
  if (taken === undefined) return
  const { seq, attempt } = taken
  let bytes = 0
  for (const [part, pauseMs] of rival.pausesMs.entries()) {
    await sleep(pauseMs)
    const data = Buffer.from(`${recordKey}/${seq}/${attempt}/${part};`)
    if (!(await insertChunk(db, { recordKey, seq, attempt, part, data }))) return
    bytes += data.byteLength
  }
  switch (rival.ending) {
    case 'complete':
      return await complete(witness, { recordKey, seq, attempt, bytes }, rival.pausesMs.length)
    case 'postpone':
      await postponeSegment(db, { recordKey, seq, attempt, failure: 'no luck', retryInMs: rival.startMs })
      return await expectShut({ recordKey, seq, attempt })
    case 'hand back':
      await handBackSegment(db, { recordKey, seq, attempt })
      return await expectShut({ recordKey, seq, attempt })
    case 'fail':
      return await fail(witness, recordKey, 'undecodable', { seq, attempt })
    case 'die':
  }
}

/** An attempt that ended itself writes no more, also if nobody has taken the segment since. */
async function expectShut(attempt: { recordKey: bigint; seq: number; attempt: number }): Promise<void> {
  expect(await insertChunk(testDb.db, { ...attempt, part: 99, data: Buffer.from('late') })).toBe(false)
  expect(await completeSegment(testDb.db, { ...attempt, bytes: 4 })).toBe('stale')
}

async function complete(
  witness: Witness,
  attempt: { recordKey: bigint; seq: number; attempt: number; bytes: number },
  chunks: number,
): Promise<void> {
  const outcome = await completeSegment(testDb.db, attempt)
  if (outcome === 'stale') return
  witness.completed.set(`${attempt.recordKey}/${attempt.seq}/${attempt.attempt}`, chunks)
  if (outcome !== 'last') return
  witness.lasts.push(attempt.recordKey)
  await Promise.all([finish(witness, attempt.recordKey), finish(witness, attempt.recordKey)]) // the reconciler may be at it too
}

async function finish(witness: Witness, recordKey: bigint): Promise<void> {
  const head = Buffer.from(`head of ${recordKey};`)
  const isFinisher = await finishRecord(testDb.db, { recordKey, head, mp3Size: 1, mp3Sha256: sha256(head) })
  if (isFinisher) witness.finishers.push(recordKey)
}

async function fail(
  witness: Witness,
  recordKey: bigint,
  code: FailureCode,
  attempt?: { seq: number; attempt: number },
): Promise<void> {
  if (await failRecord(testDb.db, { recordKey, code, detail: '', attempt })) witness.failed.push(recordKey)
}

/** What the reconciler and the jobs that it adds do, until nothing is left to do. */
async function settleTheRest(witness: Witness): Promise<void> {
  const { db } = testDb
  for (;;) {
    for (const { recordKey } of await usedUpSegments(db, { segmentAttempts: 3 })) {
      await fail(witness, recordKey, 'attempts-exhausted')
    }
    const due = await dueSegments(db, undefined, 100)
    for (const { recordKey, seq } of due) {
      await attack(witness, recordKey, { record: 0, seq, startMs: 0, pausesMs: [0, 0], ending: 'complete' })
    }
    for (const key of await fullRecords(db, 100)) await finish(witness, key)
    const { rows } = await db.pool.query(`SELECT FROM record WHERE status IN ('queued', 'processing')`)
    if (rows.length === 0) return
    // One was postponed by an error, or keeps apart because its attempts died: that time is over now.
    await db.pool.query('UPDATE segment SET next_try_at = now() WHERE next_try_at > now()')
  }
}

async function expectWhole(witness: Witness, key: bigint): Promise<void> {
  const { db } = testDb
  const ended = [...witness.finishers, ...witness.removed, ...witness.failed].filter((ender) => ender === key)
  const { rows: records } = await db.pool.query<{ status: string; segments_done: number }>(
    'SELECT status, segments_done FROM record WHERE key = $1',
    [key],
  )
  const { rows: chunks } = await db.pool.query<{ segment: number; text: string }>(
    `SELECT segment, string_agg(convert_from(data, 'UTF8'), '' ORDER BY part) AS text
     FROM chunk WHERE record_key = $1 GROUP BY segment ORDER BY segment`,
    [key],
  )
  const { rows: segments } = await db.pool.query<{ seq: number; attempt: number; bytes: string }>(
    'SELECT seq, attempt, bytes FROM segment WHERE record_key = $1 AND done_at IS NOT NULL ORDER BY seq',
    [key],
  )
  const status = records[0]?.status
  expect(witness.finishers.filter((finisher) => finisher === key).length).toBeLessThanOrEqual(1)
  if (status !== 'ready') {
    expect(status).toBe(witness.removed.includes(key) ? 'deleted' : 'failed')
    expect({ chunks, segments }).toEqual({ chunks: [], segments: [] })
    return
  }
  expect(ended).toEqual([key])
  expect(witness.lasts.filter((last) => last === key)).toEqual([key])
  expect(records[0]?.segments_done).toBe(SEGMENTS)
  const expected = segments.map(({ seq, attempt }) => {
    const chunksWritten = witness.completed.get(`${key}/${seq}/${attempt}`)
    const parts = Array.from({ length: chunksWritten ?? 0 }, (_, part) => `${key}/${seq}/${attempt}/${part};`)
    return { segment: seq, text: parts.join('') }
  })
  expect(chunks).toEqual([{ segment: -1, text: `head of ${key};` }, ...expected])
  expect(segments.map(({ bytes }) => Number(bytes))).toEqual(expected.map(({ text }) => text.length))
  expect(segments).toHaveLength(SEGMENTS)
}
