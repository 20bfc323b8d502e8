import { parseSettings } from '@wavemill/core/settings'
import { afterEach, expect, it } from 'vitest'
import { startRedis } from '../../test/support/redis.ts'
import { missing } from '../../test/support/requirement.ts'
import { buildWav } from '../../test/support/wav.ts'
import { finishLinked } from './finished-record.ts'
import { multipartBody, post, uploadParts } from './multipart.ts'
import { ask, statusOf, upload } from './own-user.ts'
import { connectRaw, head } from './raw-http.ts'
import { type AppOptions, type RunningApp, startApp, type User } from './running-app.ts'

const apps: RunningApp[] = []
afterEach(async () => {
  for (const app of apps.splice(0)) await app.stop()
})

async function start(options: AppOptions): Promise<RunningApp> {
  const app = await startApp(options)
  apps.push(app)
  return app
}

const newUser = (app: RunningApp) =>
  fetch(`${app.baseUrl}/user`, { method: 'POST', body: new URLSearchParams({ name: crypto.randomUUID() }) })

const send = (app: RunningApp, user: User, wav: Uint8Array | string = buildWav({ samples: 1000 })) =>
  post(`${app.baseUrl}/record`, multipartBody(uploadParts(user, wav)))

const limitOf = ({ headers }: Response) =>
  ['limit', 'remaining', 'reset'].map((name) => Number(headers.get(`ratelimit-${name}`)))

const seconds = expect.toSatisfy((value: number) => value >= 1 && value <= 60, '1 to 60')

const { newUsersPerMinute, uploadsPerMinute } = parseSettings({})

it('by default an address may create 60 users a minute, and the next is told when to come again', async () => {
  const app = await start({ settings: { newUsersPerMinute } })
  const answers = await Promise.all(Array.from({ length: 60 }, () => newUser(app)))
  expect(answers.map(({ status }) => status)).toEqual(Array(60).fill(201))
  const answer = await newUser(app)
  expect(answer.status).toBe(429)
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  expect(await answer.json()).toMatchObject({ code: 'rate-limited' })
  expect(limitOf(answer)).toEqual([60, 0, seconds])
  expect(Number(answer.headers.get('retry-after'))).toEqual(seconds)
  expect((await app.stored()).users).toBe(60)
})

it('by default a user may begin 300 uploads a minute', async () => {
  const app = await start({ settings: { uploadsPerMinute } })
  const user = await app.createUser()
  let begun = 0
  async function sendInTurn(): Promise<void> {
    for (; begun < 300; ) {
      begun += 1
      const answer = await send(app, user, 'no WAV')
      expect([answer.status, answer.headers.get('ratelimit-limit')]).toEqual([415, '300'])
    }
  }
  await Promise.all(Array.from({ length: 10 }, sendInTurn))
  expect((await send(app, user)).status).toBe(429)
})

it('a user may begin so many uploads, another user is not concerned, and a wrong token counts for nobody', async () => {
  const app = await start({ settings: { uploadsPerMinute: 2 } })
  const [user, other] = [await app.createUser(), await app.createUser()]
  for (let time = 0; time < 3; time += 1) {
    expect((await send(app, { ...user, token: other.token })).status).toBe(401)
  }
  const first = await send(app, user)
  expect([first.status, limitOf(first)]).toEqual([202, [2, 1, seconds]])
  expect((await send(app, user)).status).toBe(202)
  const third = await send(app, user)
  expect([third.status, limitOf(third)]).toEqual([429, [2, 0, seconds]])
  expect(await third.json()).toMatchObject({ code: 'rate-limited' })
  expect((await send(app, other)).status).toBe(202)
  expect((await app.stored()).files).toHaveLength(3)
})

it('an upload that says whose it is in its head is refused before any of its body has come', async () => {
  const app = await start({ settings: { uploadsPerMinute: 1 } })
  const user = await app.createUser()
  expect((await send(app, user)).status).toBe(202)
  const connection = await connectRaw(app.port)
  const headers = {
    'content-type': 'audio/wav',
    'content-length': 1_000_000,
    authorization: `Bearer ${user.token}`,
  }
  await connection.send(head(app.port, `POST /record?user=${user.id}`, headers))
  expect(await connection.answer()).toMatchObject({
    status: 429,
    body: expect.stringContaining('rate-limited'),
  })
  connection.socket.destroy()
})

it('reads of an address are counted together where that is asked for, and health is no read', async () => {
  const app = await start({ settings: { readsPerMinute: 5 } })
  const user = await app.createUser()
  const { url } = await upload(app, user)
  await finishLinked(app.db, url, Buffer.from('mp3'))
  const path = url.slice(app.baseUrl.length)
  const reads = [
    ask(app, 'GET', path, undefined),
    ask(app, 'HEAD', path, undefined),
    ask(app, 'GET', path.replace('/record?', '/record/status?'), undefined),
    ask(app, 'GET', path.replace('/record?', '/record/events?'), undefined),
    ask(app, 'GET', `/records?user=${user.id}`, user.token),
  ]
  expect(await Promise.all(reads.map(statusOf))).toEqual(Array(5).fill(200))
  expect(await statusOf(ask(app, 'GET', path, undefined))).toBe(429)
  expect(await statusOf(ask(app, 'GET', `/records?user=${user.id}`, user.token))).toBe(429)
  expect(await statusOf(ask(app, 'GET', '/health/live', undefined))).toBe(200)
  expect((await send(app, user)).status).toBe(202)
})

it('without limits no answer speaks of any', async () => {
  const app = await start({})
  const answer = await newUser(app)
  expect(answer.status).toBe(201)
  expect([...answer.headers.keys()].filter((name) => name.startsWith('ratelimit'))).toEqual([])
})

it.skipIf(missing('redis-server'))(
  'with Redis several API processes count together; while it is away everybody is let in',
  async () => {
    const redis = await startRedis()
    try {
      const options = { settings: { newUsersPerMinute: 3 }, redisUrl: redis.url }
      const [one, another] = [await start(options), await start(options)]
      expect((await newUser(one)).status).toBe(201)
      expect((await newUser(another)).status).toBe(201)
      expect(limitOf(await newUser(one))).toEqual([3, 0, seconds])
      expect((await newUser(another)).status).toBe(429)
      await redis.stop()
      for (let time = 0; time < 5; time += 1) expect((await newUser(another)).status).toBe(201)
    } finally {
      await redis.stop()
    }
  },
)
