/** Another user's id, token and recording on every route that there is: nobody gets at what is not theirs. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { multipartBody, post, uploadParts } from './multipart.ts'
import { ask, statusOf, type Uploaded, upload } from './own-user.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

let app: RunningApp
let ada: User
let eve: User
let adas: Uploaded
let eves: Uploaded
beforeAll(async () => {
  app = await startApp({ settings: { adminPassword: 'long enough' } })
  ada = await app.createUser('Ada')
  eve = await app.createUser('Eve')
  adas = await upload(app, ada)
  eves = await upload(app, eve)
})
afterAll(() => app?.stop())

/** Nothing of anybody's to get at: said, so that a new route must be put here, or be tried below. */
const ofNobody = [
  'POST /user',
  'GET /health/live',
  'GET /health/ready',
  'GET /openapi.json',
  'GET /docs',
  'GET /docs/start.js',
  'GET /docs/reference.js',
]

/** By the link alone: the recording's id and its user's. */
const byLink = [
  'GET /record',
  'HEAD /record',
  'GET /record/status',
  'GET /record/peaks',
  'GET /record/events',
]
/** By the token; where they name a recording, it must be the user's. */
const byToken = ['GET /records', 'DELETE /record', 'POST /user/token', 'DELETE /user']
const others = ['POST /record', 'GET /records/events']

const parse = (route: string) => route.split(' ') as [string, string]

it('every route is one of those that are tried here', async () => {
  const { paths } = (await (await fetch(`${app.baseUrl}/openapi.json`)).json()) as {
    paths: Record<string, object>
  }
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(routes.sort()).toEqual([...ofNobody, ...byLink, ...byToken, ...others].sort())
})

describe.each(byLink)('%s', (route) => {
  const [method, path] = parse(route)
  const statusFor = (id: string, user: string, token?: string) =>
    statusOf(ask(app, method, `${path}?id=${id}&user=${user}`, token))

  it('knows a recording under its own user only, whatever token comes with it', async () => {
    const wrong: [string, string, string?][] = [
      [adas.id, eve.id],
      [adas.id, eve.id, eve.token],
      [adas.id, eve.id, ada.token],
      [eves.id, ada.id, eve.token],
      [adas.id, randomUUID()],
      [randomUUID(), ada.id, ada.token],
      [ada.id, ada.id],
      [adas.id, adas.id],
    ]
    for (const [id, user, token] of wrong) expect(await statusFor(id, user, token)).toBe(404)
  })
})

describe.each(byToken)('%s', (route) => {
  const [method, path] = parse(route)

  it('takes no token but the user’s own', async () => {
    const before = await app.stored()
    const wrong: [string, string][] = [
      [ada.id, eve.token],
      [eve.id, ada.token],
      [randomUUID(), eve.token],
      [ada.id, randomUUID()],
      [ada.id, ada.id], // an id is no token, and a recording's is none either
      [ada.id, adas.id],
      [adas.id, ada.token],
    ]
    for (const [user, token] of wrong) {
      expect(await statusOf(ask(app, method, `${path}?id=${adas.id}&user=${user}`, token))).toBe(401)
    }
    expect(await statusOf(ask(app, method, `${path}?id=${adas.id}&user=${ada.id}`, undefined))).toBe(400)
    const named = { authorization: `Basic ${btoa(`Ada:${ada.token}`)}` } // a user is no admin
    const asAdmin = fetch(`${app.baseUrl}${path}?user=${ada.id}`, { method, headers: named })
    expect(await statusOf(asAdmin)).toBeOneOf([400, 401])
    expect(await app.stored()).toEqual(before)
    expect(await statusOf(ask(app, 'GET', `/records?user=${ada.id}`, ada.token))).toBe(200)
  })
})

it('DELETE /record with a good token removes nobody else’s recording', async () => {
  for (const path of [
    `/record?id=${adas.id}&user=${eve.id}`,
    `/record?id=${adas.id}&user=${eve.id}&user=${ada.id}`,
  ]) {
    expect(await statusOf(ask(app, 'DELETE', path, eve.token))).toBeOneOf([400, 404])
  }
  expect(await statusOf(fetch(adas.url))).toBe(202)
})

it('GET /records lists nobody else’s, and takes nobody else’s cursor', async () => {
  const mine = (await (await ask(app, 'GET', `/records?user=${eve.id}`, eve.token)).json()) as {
    records: { id: string }[]
  }
  expect(mine.records.map(({ id }) => id)).toEqual([eves.id])
  const path = `/records?user=${eve.id}&cursor=${adas.id}`
  expect(await statusOf(ask(app, 'GET', path, eve.token))).toBe(400)
})

it('GET /records/events tells of somebody else’s recording what it tells of none: that it is gone', async () => {
  const none = randomUUID()
  const answer = await fetch(`${app.baseUrl}/records/events?user=${eve.id}&ids=${adas.id},${none}`)
  const text = await answer.text() // it ends, as there is nothing to wait for
  expect(text).toContain(adas.id)
  expect(text.replaceAll(adas.id, none)).not.toMatch(/queued|processing|ready|source/)
})

it.each([
  ['another’s token', () => ({ id: ada.id, token: eve.token })],
  ['a user that is not there', () => ({ id: randomUUID(), token: ada.token })],
  ['an id for a token', () => ({ id: ada.id, token: ada.id })],
])('POST /record takes nothing with %s, wherever the token is, and keeps nothing', async (_what, wrong) => {
  const before = await app.stored()
  const { id, token } = wrong()
  const [user, tokenPart, file] = uploadParts({ id, token }, buildWav())
  const bearer = { authorization: `Bearer ${token}` }
  expect(await statusOf(post(`${app.baseUrl}/record`, multipartBody([user, tokenPart, file])))).toBe(401)
  expect(await statusOf(post(`${app.baseUrl}/record`, multipartBody([file, tokenPart, user])))).toBe(401)
  expect(await statusOf(post(`${app.baseUrl}/record`, multipartBody([user, file]), bearer))).toBe(401)
  const raw = { ...bearer, 'content-type': 'audio/wav' }
  expect(await statusOf(post(`${app.baseUrl}/record?user=${id}`, buildWav(), raw))).toBe(401)
  expect(await app.stored()).toEqual(before)
})
