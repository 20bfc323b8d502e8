import type { WavStore } from '@wavemill/core/wav-store'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../../test/support/ports.ts'
import { startRedis } from '../../test/support/redis.ts'
import { missing } from '../../test/support/requirement.ts'
import { buildWav } from '../../test/support/wav.ts'
import { type CommitEater, startCommitEater } from './commit-eater.ts'
import { eventually } from './eventually.ts'
import { CONTENT_TYPE, multipartBody, post, uploadParts } from './multipart.ts'
import { connectRaw, head } from './raw-http.ts'
import { type AppOptions, type RunningApp, startApp, type User } from './running-app.ts'

const wav = buildWav()

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function start(options: AppOptions = {}): Promise<RunningApp> {
  const app = await startApp(options)
  closers.push(() => app.stop())
  return app
}

const upload = (app: RunningApp, user: User) =>
  post(`${app.baseUrl}/record`, multipartBody(uploadParts(user, wav)))

/** A store that calls `then` after each durable file: the moment between the file and its row. */
function storeWithHook(afterCommit: () => Promise<void>): (store: WavStore) => WavStore {
  return (store) => ({
    ...store,
    async createDraft() {
      const draft = await store.createDraft()
      return {
        get bytes() {
          return draft.bytes
        },
        write: (bytes) => draft.write(bytes),
        discard: () => draft.discard(),
        async commit(key) {
          await draft.commit(key)
          await afterCommit()
        },
      }
    },
  })
}

async function expectUnavailable(answer: Response): Promise<void> {
  expect(answer.status).toBe(503)
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  const text = await answer.text()
  expect(JSON.parse(text)).toMatchObject({ code: 'unavailable' })
  expect(text).not.toMatch(/ECONN|prisma|127\.0\.0\.1|5432/i)
}

describe('a database that is away', () => {
  it('is 503 with Retry-After for everything that needs it, and all is well when it is back', async () => {
    const app = await start()
    const user = await app.createUser()
    const { url, statusUrl } = (await (await upload(app, user)).json()) as { url: string; statusUrl: string }
    const before = await app.stored()
    await app.databaseProxy.cut()

    await expectUnavailable(await upload(app, user))
    await expectUnavailable(await fetch(url))
    await expectUnavailable(await fetch(statusUrl))
    const newUser = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"late"}',
    }
    await expectUnavailable(await fetch(`${app.baseUrl}/user`, newUser))
    const ready = await fetch(`${app.baseUrl}/health/ready`)
    expect(ready.status).toBe(503)
    expect(await ready.json()).toMatchObject({ failing: ['database'] })
    expect((await fetch(`${app.baseUrl}/health/live`)).status).toBe(200)
    expect(await app.stored()).toEqual(before)

    await app.databaseProxy.restore()
    expect((await fetch(url)).status).toBe(202)
    expect((await upload(app, user)).status).toBe(202)
    expect((await fetch(`${app.baseUrl}/user`, newUser)).status).toBe(201)
    expect((await fetch(`${app.baseUrl}/health/ready`)).status).toBe(200)
  })

  it('does not stop what is refused without it', async () => {
    const app = await start()
    const user = await app.createUser()
    await app.databaseProxy.cut()
    const [userPart, token, file] = uploadParts(user, 'this is no WAV')
    const notWav = await post(`${app.baseUrl}/record`, multipartBody([file, userPart, token]))
    expect(notWav.status).toBe(415)
    expect((await fetch(`${app.baseUrl}/record?id=1&user=2`)).status).toBe(404)
  })

  it('in the middle of an upload is 503, with nothing stored', async () => {
    const app = await start()
    const user = await app.createUser()
    const body = multipartBody(uploadParts(user, wav))
    const connection = await connectRaw(app.port)
    const headers = { 'content-type': CONTENT_TYPE, 'content-length': body.length }
    await connection.send(head(app.port, 'POST /record', headers))
    await connection.send(body.subarray(0, -2000))
    await eventually(async () => expect((await app.stored()).files).toHaveLength(1))
    await app.databaseProxy.cut()
    await connection.send(body.subarray(-2000))
    expect((await connection.answer())?.status).toBe(503)
    connection.socket.destroy()
    expect(await app.stored()).toMatchObject({ records: 0, segments: 0, files: [] })
  })

  it('between the file and its row is 503; the file stays, because nobody knows what was committed', async () => {
    const app: RunningApp = await start({ wrapStore: storeWithHook(() => app.databaseProxy.cut()) })
    const user = await app.createUser()
    await expectUnavailable(await upload(app, user))
    expect(await app.stored()).toMatchObject({ records: 0, segments: 0, files: ['1.wav'] })
  })

  it('that refuses the row is 500 with nothing left: then it is known', async () => {
    const refuse = () => app.db.pool.query('ALTER TABLE record ADD CHECK (samples < 0)').then(() => {})
    const app: RunningApp = await start({ wrapStore: storeWithHook(() => refuse()) })
    const user = await app.createUser()
    expect((await upload(app, user)).status).toBe(500)
    expect(await app.stored()).toMatchObject({ records: 0, segments: 0, files: [] })
  })

  it('that commits and breaks off before it says so is 202 all the same', async () => {
    const eaters: CommitEater[] = []
    const throughProxy = async (url: string) => {
      const eater = await startCommitEater(url)
      eaters.push(eater)
      return eater
    }
    const app = await start({ throughProxy })
    const user = await app.createUser()
    const eaten = eaters[0]?.eatOne()
    const answer = await upload(app, user)
    await eaten
    expect(answer.status).toBe(202)
    expect(await app.stored()).toMatchObject({ records: 1, segments: 1, files: ['1.wav'] })
  })
})

describe('a queue that is away', () => {
  const options = { skip: missing('redis-server') }

  it('stops no upload: 202, and only /health/ready says 503', options, async () => {
    const redis = await startRedis()
    const app = await start({ redisUrl: redis.url })
    const user = await app.createUser()
    expect((await upload(app, user)).status).toBe(202)
    expect((await fetch(`${app.baseUrl}/health/ready`)).status).toBe(200)
    await redis.stop()

    expect((await upload(app, user)).status).toBe(202)
    expect(await app.stored()).toMatchObject({ records: 2, segments: 2, files: ['1.wav', '2.wav'] })
    const ready = await fetch(`${app.baseUrl}/health/ready`)
    expect(ready.status).toBe(503)
    expect(ready.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(await ready.json()).toMatchObject({ code: 'unavailable', failing: ['queue'] })
    expect(app.logs()).toContain('jobs not added')

    const again = await startRedis(redis.port)
    closers.push(() => again.stop())
    await eventually(async () => expect((await fetch(`${app.baseUrl}/health/ready`)).status).toBe(200))
    expect((await upload(app, user)).status).toBe(202)
    expect(await app.queue.counts()).toMatchObject({ waiting: 1 })
  })

  it('from the start stops nothing either, the dashboard included', options, async () => {
    const port = await freePort()
    const app = await start({ redisUrl: `redis://127.0.0.1:${port}`, settings: { adminPassword: 'pass' } })
    const user = await app.createUser()
    expect((await upload(app, user)).status).toBe(202)
    const headers = { authorization: `Basic ${btoa('admin:pass')}` }
    expect((await fetch(`${app.baseUrl}/queues/`, { headers })).status).toBe(200)

    const redis = await startRedis(port)
    closers.push(() => redis.stop())
    await eventually(async () => expect((await fetch(`${app.baseUrl}/health/ready`)).status).toBe(200))
    expect((await fetch(`${app.baseUrl}/queues/api/queues`, { headers })).status).toBe(200)
    expect((await upload(app, user)).status).toBe(202)
  })
})
