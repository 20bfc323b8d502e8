/** One event stream for several recordings: each is told of, and it ends with the last of them. */
import { randomBytes, randomUUID } from 'node:crypto'
import { deleteRecord } from '@wavemill/prisma/records'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openStream } from './event-source.ts'
import { eventually } from './eventually.ts'
import { finishLinked, keyOf } from './finished-record.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'
import { uploadWav } from './uploaded.ts'

const mp3 = randomBytes(2_000)
const limits = { idleMs: 500, heartbeatMs: 100 }

let app: RunningApp
let user: User
beforeAll(async () => {
  app = await startApp({ limits })
  user = await app.createUser()
})
afterAll(() => app?.stop())
afterEach(() => eventually(() => expect(app.watch.size).toBe(0)))

const upload = () => uploadWav(app, user)
const streamOf = (ids: readonly string[], of = user.id) =>
  `${app.baseUrl}/records/events?user=${of}&ids=${ids.join(',')}`

describe('GET /records/events', () => {
  it('tells the state of each at once, then what becomes of it, and ends with the last one', async () => {
    const [first, second, third] = [await upload(), await upload(), await upload()]
    const stream = await openStream(streamOf([first.id, second.id, third.id]))
    const told = () => stream.events.map(({ event, data }) => [event, Reflect.get(data, 'id'), data.status])
    await eventually(() =>
      expect(told().sort()).toEqual([first, second, third].map(({ id }) => ['status', id, 'queued']).sort()),
    )
    await finishLinked(app.db, second.url, mp3)
    await stream.until(({ event }) => event === 'ready')
    await deleteRecord(app.db, await keyOf(app.db, first.url))
    await stream.until(({ event }) => event === 'deleted')
    expect(stream.response.headers.get('content-type')).toMatch('text/event-stream')
    await finishLinked(app.db, third.url, mp3)
    await stream.ended
    const ends = told().filter(([event]) => event !== 'status')
    expect(ends).toEqual([
      ['ready', second.id, 'ready'],
      ['deleted', first.id, 'deleted'],
      ['ready', third.id, 'ready'],
    ])
    const ids = stream.events.map(({ id }) => id)
    expect(ids).toEqual(ids.map((_id, index) => String(index + 1)))
  })

  it('is not cut off while nothing happens, and leaves nothing behind when the client goes away', async () => {
    const { id, url } = await upload()
    const stream = await openStream(streamOf([id]))
    await eventually(() => expect(stream.comments()).toBeGreaterThan(8)) // longer than a silent connection lives
    stream.leave()
    await eventually(() => expect(app.watch.size).toBe(0))
    await finishLinked(app.db, url, mp3)
  })

  it('tells of one that there is not, or that is another’s, that it is deleted', async () => {
    const { id, url } = await upload()
    const another = await app.createUser()
    const stream = await openStream(streamOf([id, randomUUID()], another.id))
    await stream.ended
    expect(stream.events.map(({ event }) => event)).toEqual(['status', 'deleted', 'status', 'deleted'])
    await finishLinked(app.db, url, mp3)
  })

  it('takes 1 to 50 UUIDs', async () => {
    const ids = Array.from({ length: 51 }, () => randomUUID())
    for (const bad of [[], ['x'], ids, [...ids.slice(0, 2), '']]) {
      const answer = await fetch(streamOf(bad))
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({ code: 'bad-field', field: 'ids' })
    }
    const answer = await fetch(streamOf(ids.slice(0, 50)), { method: 'HEAD' })
    expect(answer.status).toBe(200)
  })
})
