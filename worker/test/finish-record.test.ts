/** Finishing a full recording: once, whoever tries and however often, and with the right digest. */
import { createHash } from 'node:crypto'
import { createFrameSplitter } from '@wavemill/core/mp3-frames'
import type { Tags } from '@wavemill/core/tags'
import { insertChunk } from '@wavemill/prisma/chunks'
import { deleteRecord } from '@wavemill/prisma/records'
import { completeSegment } from '@wavemill/prisma/segments'
import { takeSegment } from '@wavemill/prisma/take-segment'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ffprobe, mediainfo, mp3valProblems, mpg123SampleCount } from '../../test/support/judges.ts'
import { noise } from '../../test/support/material.ts'
import { buildWav, streamWav } from '../../test/support/wav.ts'
import { encodeSegment } from '../src/encode-segment.ts'
import { finishRecord } from '../src/finish-record.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'

let surroundings: Surroundings
beforeAll(async () => {
  surroundings = await createSurroundings()
})
afterAll(() => surroundings.close())

/** Leaves a recording as a worker does that was killed after its last segment: full, and not ready. */
async function storeFull(wav: Iterable<Uint8Array>, tags: Tags = {}): Promise<bigint> {
  const { db, tools } = surroundings
  const recordKey = await surroundings.storeRecording(wav, { tags })
  const segment = await takeSegment(db, { recordKey, seq: 0, worker: 'killed:1' })
  if (segment === undefined) throw new Error('nothing to take')
  const bytes = await encodeSegment(tools, segment, new AbortController().signal)
  expect(await completeSegment(db, { ...segment, bytes })).toBe('last')
  return recordKey
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}

test('several at once: one makes it ready, size and digest are those of the whole, and the WAV is gone', async () => {
  const { tools } = surroundings
  const key = await storeFull([buildWav({ samples: 100_000 })])
  await Promise.all([finishRecord(tools, key), finishRecord(tools, key), finishRecord(tools, key)])
  const mp3 = await surroundings.mp3Of(key)
  const state = await surroundings.stateOf(key)
  expect(state.status).toBe('ready')
  expect(Number(state.mp3Size)).toBe(mp3.byteLength)
  expect(Buffer.from(state.mp3Sha256 ?? [])).toEqual(sha256(mp3))
  expect(await mpg123SampleCount(mp3)).toBe(100_000)
  expect(await surroundings.wavStore.size(key)).toBeUndefined()
  await finishRecord(tools, key)
  expect(await surroundings.mp3Of(key)).toEqual(mp3)
})

test('an MP3 that is too long to be kept in memory has the same right digest and length', async () => {
  const samples = 400 * 44_100
  const key = await storeFull(streamWav({ samples, material: noise(0.5), loopSamples: 44_100 }))
  await finishRecord(surroundings.tools, key)
  const mp3 = await surroundings.mp3Of(key)
  expect(mp3.byteLength).toBeGreaterThan(8 * 1_048_576)
  expect(Buffer.from((await surroundings.stateOf(key)).mp3Sha256 ?? [])).toEqual(sha256(mp3))
  expect(await mpg123SampleCount(mp3)).toBe(samples)
})

test('tags stand in front, every reader finds them, and the length stays exact', async () => {
  const tags = { title: 'Ночь', artist: 'Café', date: '2024-02-29', comment: 'one; two' }
  const key = await storeFull([buildWav({ samples: 100_000 })], tags)
  await finishRecord(surroundings.tools, key)
  const mp3 = await surroundings.mp3Of(key)
  const state = await surroundings.stateOf(key)
  expect(state.mp3Size).toBe(mp3.byteLength)
  expect(state.mp3Sha256).toEqual(sha256(mp3))
  expect((await ffprobe(mp3)).format.tags).toMatchObject(tags)
  expect(await mediainfo(mp3, 'General')).toMatchObject({
    Title: 'Ночь',
    Performer: 'Café',
    Comment: 'one; two',
  })
  expect(Number((await mediainfo(mp3)).Duration)).toBeCloseTo(100_000 / 44_100, 1)
  expect(await mp3valProblems(mp3)).toEqual([])
  expect(await mpg123SampleCount(mp3)).toBe(100_000)
  // The Info frame counts itself and the audio, and not the tag.
  const infoFrame = mp3.indexOf('Xing') - 36
  expect(mp3.readUInt32BE(infoFrame + 36 + 12)).toBe(mp3.byteLength - infoFrame)
})

test('a recording that is not full, or was deleted, is left as it is', async () => {
  const { db, tools } = surroundings
  const waiting = await surroundings.storeRecording([buildWav()])
  await finishRecord(tools, waiting)
  expect((await surroundings.stateOf(waiting)).status).toBe('queued')
  const deleted = await storeFull([buildWav()])
  await deleteRecord(db, deleted)
  await finishRecord(tools, deleted)
  expect((await surroundings.stateOf(deleted)).status).toBe('deleted')
})

test.each([
  ['too few frames', (mp3: Buffer) => createFrameSplitter().push(mp3)[0]],
  ['something else than frames', () => Buffer.from('not an MP3 at all')],
  ['a frame that is cut', (mp3: Buffer) => mp3.subarray(0, -1)],
])('segments that hold %s fail the recording instead of being tried for ever', async (_, change) => {
  const { db } = surroundings
  const good = await surroundings.mp3Of(await storeFull([buildWav()]))
  const recordKey = await surroundings.storeRecording([buildWav()])
  const segment = await takeSegment(db, { recordKey, seq: 0, worker: 'odd:1' })
  if (segment === undefined) throw new Error('nothing to take')
  const data = Buffer.from(change(good) ?? [])
  await insertChunk(db, { ...segment, part: 0, data })
  await completeSegment(db, { ...segment, bytes: data.byteLength })
  await finishRecord(surroundings.tools, recordKey)
  expect(await surroundings.stateOf(recordKey)).toMatchObject({
    status: 'failed',
    failureCode: 'wrong-length',
  })
  expect(await surroundings.wavStore.size(recordKey)).toBeUndefined()
})
