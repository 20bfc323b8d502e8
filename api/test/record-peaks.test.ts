/** The waveform over HTTP: while a recording waits, once it is ready, and where there is none. */
import { randomUUID } from 'node:crypto'
import { insertChunk } from '@wavemill/prisma/chunks'
import { failRecord } from '@wavemill/prisma/fail-record'
import { finishRecord } from '@wavemill/prisma/finish'
import { deleteRecord } from '@wavemill/prisma/records'
import { completeSegment } from '@wavemill/prisma/segments'
import { takeSegment } from '@wavemill/prisma/take-segment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { finishLinked, keyOf } from './finished-record.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'
import { uploadWav } from './uploaded.ts'

let app: RunningApp
let user: User
beforeAll(async () => {
  app = await startApp()
  user = await app.createUser()
})
afterAll(() => app?.stop())

const upload = async () => (await uploadWav(app, user, buildWav({ samples: 10_000 }))).url
const peaksOf = (link: string) => fetch(link.replace('/record?', '/record/peaks?'))

describe('GET /record/peaks', () => {
  it('is 202 until the recording is ready, then JSON of audiowaveform that may be kept', async () => {
    const link = await upload()
    const waiting = await peaksOf(link)
    expect(waiting.status).toBe(202)
    expect(waiting.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await waiting.json()).toMatchObject({ status: 'queued' })

    const recordKey = await keyOf(app.db, link)
    const taken = await takeSegment(app.db, { recordKey, seq: 0, worker: 'test' })
    const attempt = taken?.attempt ?? 0
    await insertChunk(app.db, { recordKey, seq: 0, attempt, part: 0, data: Buffer.from('audio') })
    const peaks = Uint8Array.from([-128, 127, 0, 5])
    await completeSegment(app.db, { recordKey, seq: 0, attempt, bytes: 5, peaks })
    const whole = { recordKey, head: Buffer.from('head'), mp3Size: 9, mp3Sha256: Buffer.alloc(32) }
    expect(await finishRecord(app.db, whole)).toBe(true)
    const answer = await peaksOf(link)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toMatch(/^private, max-age=31536000, immutable$/)
    expect(await answer.json()).toEqual({
      version: 2,
      channels: 1,
      sample_rate: 44_100,
      samples_per_pixel: 3, // 10,000 samples on at most 4,000 pixels
      bits: 8,
      length: 2,
      data: [-128, 127, 0, 5],
    })
  })

  it('is 404 where there is no waveform, or no such recording; 422 where it failed; 410 where it is gone', async () => {
    const [without, failed, deleted] = [await upload(), await upload(), await upload()]
    await finishLinked(app.db, without, Buffer.alloc(200))
    await failRecord(app.db, { recordKey: await keyOf(app.db, failed), code: 'source-lost', detail: '' })
    await deleteRecord(app.db, await keyOf(app.db, deleted))
    const nowhere = `${app.baseUrl}/record?id=${randomUUID()}&user=${user.id}`
    const answers = await Promise.all([without, nowhere, failed, deleted].map(peaksOf))
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 422, 410])
    const codes = await Promise.all(
      answers.map(async (answer) => Reflect.get(Object(await answer.json()), 'code')),
    )
    expect(codes).toEqual(['no-peaks', 'unknown-record', 'transcoding-failed', 'gone'])
  })
})
