/** Long polls and event streams, woken over a real PostgreSQL by whoever changes a record. */
import { randomBytes } from 'node:crypto'
import { failRecord } from '@wavemill/prisma/fail-record'
import { deleteRecord, removeRecord } from '@wavemill/prisma/records'
import { reportProgress } from '@wavemill/prisma/segments'
import { takeSegment } from '@wavemill/prisma/take-segment'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openStream } from './event-source.ts'
import { eventually } from './eventually.ts'
import { finishLinked, keyOf } from './finished-record.ts'
import { connectRaw, head } from './raw-http.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'
import { uploadWav } from './uploaded.ts'

const mp3 = randomBytes(2_000)
/** A connection on which nothing moves is cut after half a second; whoever waits is told something more often. */
const limits = { idleMs: 500, heartbeatMs: 100 }

let app: RunningApp
let user: User
beforeAll(async () => {
  app = await startApp({ limits })
  user = await app.createUser()
})
afterAll(() => app?.stop())
afterEach(() => eventually(() => expect(app.watch.size).toBe(0)))

const upload = async () => (await uploadWav(app, user)).url

function wait(link: string, seconds: number, init: RequestInit = {}): Promise<Response> {
  return fetch(link, { ...init, headers: { prefer: `wait=${seconds}` } })
}

const waiters = (count: number) => eventually(() => expect(app.watch.size).toBe(count))
const eventsOf = (link: string) => link.replace('/record?', '/record/events?')

describe('Prefer: wait', () => {
  it('is answered with the MP3 as soon as it is ready, on GET and HEAD, by whatever process that is made', async () => {
    const link = await upload()
    const [get, asHead] = [wait(link, 60), wait(link, 600, { method: 'HEAD' })]
    await waiters(2)
    await finishLinked(app.db, link, mp3)
    const answer = await get
    expect(answer.status).toBe(200)
    expect(answer.headers.get('preference-applied')).toBe('wait=60')
    expect(Buffer.from(await answer.arrayBuffer()).equals(mp3)).toBe(true)
    expect((await asHead).status).toBe(200)
    expect((await asHead).headers.get('preference-applied')).toBe('wait=60')
    expect((await asHead).headers.get('content-length')).toBe('2000')
  })

  it('is answered 422 when transcoding fails, and 410 when the recording is deleted or expires', async () => {
    const [failing, deleted, expired] = [await upload(), await upload(), await upload()]
    const answers = [failing, deleted, expired].map((link) => wait(link, 60))
    await waiters(3)
    const recordKey = await keyOf(app.db, failing)
    await failRecord(app.db, { recordKey, code: 'source-lost', detail: '' })
    await deleteRecord(app.db, await keyOf(app.db, deleted))
    await removeRecord(app.db, await keyOf(app.db, expired), 'expired')
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([422, 410, 410])
  })

  it('is answered 202 when the time is over, though it was woken meanwhile', async () => {
    const link = await upload()
    const answer = wait(link, 2)
    await waiters(1)
    const taken = await takeSegment(app.db, { recordKey: await keyOf(app.db, link), seq: 0, worker: 'test' })
    expect(taken).toBeDefined()
    expect((await answer).status).toBe(202)
    expect(await (await answer).json()).toMatchObject({ status: 'processing' })
    expect((await answer).headers.get('preference-applied')).toBe('wait=2')
  })

  it('does not hold what need not wait: what is ready, what is not there, and whoever does not ask', async () => {
    const link = await upload()
    const plain = await fetch(link, { headers: { prefer: 'wait=soon' } })
    expect(plain.status).toBe(202)
    expect(plain.headers.has('preference-applied')).toBe(false)
    expect((await wait(link, 0)).status).toBe(202)
    await finishLinked(app.db, link, mp3)
    expect((await wait(link, 60)).status).toBe(200)
    expect((await wait(`${app.baseUrl}/record?id=${user.id}&user=${user.id}`, 60)).status).toBe(404)
    expect((await wait(`${app.baseUrl}/record?id=1&user=2`, 60)).status).toBe(404)
  })

  it('leaves nothing behind where the client goes away', async () => {
    const path = (await upload()).slice(app.baseUrl.length)
    const gone = await connectRaw(app.port)
    await gone.send(head(app.port, `GET ${path}`, { prefer: 'wait=60' }))
    await waiters(1)
    gone.socket.destroy()
    await waiters(0)
  })

  it('holds no connection of the database, however many wait, and all are told', async () => {
    const link = await upload()
    const all = Array.from({ length: 500 }, () => wait(link, 60))
    await waiters(500)
    const { rows } = await app.db.pool.query<{ count: number }>(
      `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()
       AND application_name IN ('api under test', 'wavemill record watch')`,
    )
    expect(rows[0]?.count).toBeLessThanOrEqual(11) // the pool's ten, and the one that listens
    expect((await fetch(`${app.baseUrl}/health/ready`)).status).toBe(200)
    await finishLinked(app.db, link, mp3)
    const answers = await Promise.all(all)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    await Promise.all(answers.map((answer) => answer.arrayBuffer()))
  })
})

describe('GET /record/events', () => {
  it('tells the state at once, then each change, also past the death of a worker, and ends when it is ready', async () => {
    const link = await upload()
    const stream = await openStream(eventsOf(link))
    expect(stream.response.status).toBe(200)
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(stream.response.headers.get('cache-control')).toBe('no-store')
    await stream.until(({ event, data }) => event === 'status' && data.status === 'queued')
    const recordKey = await keyOf(app.db, link)
    const taken = await takeSegment(app.db, { recordKey, seq: 0, worker: 'test' })
    if (taken === undefined) throw new Error('It is taken')
    await stream.until(({ data }) => data.status === 'processing')
    for (const progress of [0.25, 0.5]) {
      await reportProgress(app.db, { ...taken, progress })
      await stream.until(({ data }) => data.progress === progress)
    }
    await finishLinked(app.db, link, mp3) // by another worker: the first one was never heard of again
    await stream.ended

    const { events } = stream
    expect(events.at(-2)).toMatchObject({ event: 'status', data: { status: 'ready', progress: 1 } })
    expect(events.at(-1)).toMatchObject({ event: 'ready', data: { status: 'ready', mp3: { bytes: 2000 } } })
    const progress = events.map(({ data }) => data.progress ?? -1)
    expect(progress).toEqual(progress.toSorted((a, b) => a - b))
    expect(events.map(({ id }) => id)).toEqual(events.map((_event, index) => String(index + 1)))
    const status = await (await fetch(link.replace('/record?', '/record/status?'))).json()
    expect(events.at(-1)?.data).toEqual(status)
  })

  it('ends with `failed`, `deleted` or `expired` where it comes to that, also without a tombstone', async () => {
    const links = [await upload(), await upload(), await upload(), await upload()]
    const streams = await Promise.all(links.map((link) => openStream(eventsOf(link))))
    await waiters(4)
    const [failing = 0n, deleted = 0n, expired = 0n, purged = 0n] = await Promise.all(
      links.map((link) => keyOf(app.db, link)),
    )
    await failRecord(app.db, { recordKey: failing, code: 'source-lost', detail: 'It is gone.' })
    await deleteRecord(app.db, deleted)
    await removeRecord(app.db, expired, 'expired')
    await app.db.pool.query('DELETE FROM record WHERE key = $1', [purged])
    await Promise.all(streams.map(({ ended }) => ended))
    expect(streams.map(({ events }) => events.at(-1)?.event)).toEqual([
      'failed',
      'deleted',
      'expired',
      'deleted',
    ])
    expect(streams[0]?.events.at(-1)?.data).toMatchObject({ failure: { code: 'source-lost' } })
    expect(streams[1]?.events.at(-1)?.data).toEqual({ status: 'deleted' })
  })

  it('tells what is over already, and ends', async () => {
    const link = await upload()
    await finishLinked(app.db, link, mp3)
    const stream = await openStream(eventsOf(link))
    await stream.ended
    expect(stream.events.map(({ event }) => event)).toEqual(['status', 'ready'])
  })

  it('is not cut off while nothing happens, and says that it is still there', async () => {
    const stream = await openStream(eventsOf(await upload()))
    await eventually(() => expect(stream.comments()).toBeGreaterThan(20)) // four times as long as a dead one has
    expect(stream.events).toHaveLength(1)
    stream.leave()
    await waiters(0)
  })

  it.each([
    ['41', '42'],
    ['nonsense', '1'],
    ['-3', '1'],
    ['9'.repeat(400), '1'],
  ])('after Last-Event-ID %.20s sends the whole state again, as %s', async (last, id) => {
    const stream = await openStream(eventsOf(await upload()), { 'last-event-id': last })
    await stream.until((event) => event.id === id && event.data.status === 'queued')
    stream.leave()
  })

  it('has no stream for what is not there or is gone, and no body for HEAD', async () => {
    const link = await upload()
    const asHead = await fetch(eventsOf(link), { method: 'HEAD' })
    expect([asHead.status, asHead.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ])
    await deleteRecord(app.db, await keyOf(app.db, link))
    const statuses = await Promise.all(
      [link, `${app.baseUrl}/record?id=1&user=2`, `${app.baseUrl}/record?id=1`].map(
        async (some) => (await fetch(eventsOf(some))).status,
      ),
    )
    expect(statuses).toEqual([410, 404, 400])
  })
})
