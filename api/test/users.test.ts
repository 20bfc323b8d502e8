import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApp, startApp } from './running-app.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

let app: RunningApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app?.stop())

function postUser(body: string, contentType = 'application/json') {
  return fetch(`${app.baseUrl}/user`, { method: 'POST', headers: { 'content-type': contentType }, body })
}

describe('POST /user', () => {
  it('creates a user from JSON and shows a token that is stored as its SHA-256 only', async () => {
    const answer = await postUser('{"name":"Ada"}')
    expect(answer.status).toBe(201)
    const user = (await answer.json()) as { id: string; name: string; token: string }
    expect(user).toEqual({ id: expect.stringMatching(uuid), name: 'Ada', token: expect.stringMatching(uuid) })
    const row = await app.db.prisma.user.findUniqueOrThrow({ where: { id: user.id } })
    expect(Buffer.from(row.tokenHash)).toEqual(createHash('sha256').update(user.token).digest())
  })

  it('creates a user from a form', async () => {
    const answer = await postUser('name=Grace+%D0%98.', 'application/x-www-form-urlencoded')
    expect(answer.status).toBe(201)
    expect(await answer.json()).toMatchObject({ name: 'Grace И.' })
  })

  it.each([
    ['spaces around it are cut off', '  Edsger ', 'Edsger'],
    ['no-break and wide spaces too', '\u00a0\u3000Barbara\u2003', 'Barbara'],
    ['it is brought to NFC', 'Zoe\u0308', 'Zo\u00eb'],
    ['100 characters are enough', 'x'.repeat(100), 'x'.repeat(100)],
    ['characters are counted as code points', '\u{1f3b5}'.repeat(100), '\u{1f3b5}'.repeat(100)],
  ])('accepts a name where %s', async (_what, name, stored) => {
    const answer = await postUser(JSON.stringify({ name }))
    expect(answer.status).toBe(201)
    expect(await answer.json()).toMatchObject({ name: stored })
  })

  it('compares names as they are: case makes another name', async () => {
    await app.createUser('Niklaus')
    expect((await postUser('{"name":"niklaus"}')).status).toBe(201)
  })

  it.each([
    ['no name', '{}', 'missing-field', /"name" is missing/],
    ['an empty name', '{"name":""}', 'bad-name', /must not be empty/],
    ['only spaces', '{"name":" \\t\\u00a0 "}', 'bad-name', /must not be empty/],
    ['101 characters', `{"name":"${'x'.repeat(101)}"}`, 'bad-name', /at most 100 characters/],
    ['a control character', '{"name":"a\\u0007b"}', 'bad-name', /control characters/],
    ['a line break', '{"name":"a\\nb"}', 'bad-name', /control characters/],
    ['a C1 control character', '{"name":"a\\u0085b"}', 'bad-name', /control characters/],
    ['NUL', '{"name":"a\\u0000"}', 'bad-name', /control characters/],
    ['half a surrogate pair', '{"name":"a\\ud800"}', 'bad-name', /valid Unicode/],
    ['a number', '{"name":7}', 'bad-field', /"name" must be string/],
    ['null', '{"name":null}', 'bad-field', /"name" must be string/],
    ['a list', '{"name":["a"]}', 'bad-field', /"name" must be string/],
    ['a field that is not known', '{"name":"a","admin":true}', 'unknown-field', /"admin"/],
    ['a list instead of an object', '["name"]', 'malformed-body', /must be object/],
    ['null instead of an object', 'null', 'malformed-body', /must be object/],
    ['no JSON', '{"name":', 'malformed-body', /not JSON/],
    ['a poisoned prototype', '{"name":"a","__proto__":{"x":1}}', 'malformed-body', /not JSON/],
    ['an empty body', '', 'malformed-body', /empty/],
  ])('refuses %s with 400 and says why', async (_what, body, code, detail) => {
    const before = await app.stored()
    const answer = await postUser(body)
    expect(answer.status).toBe(400)
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(await answer.json()).toMatchObject({ status: 400, code, detail: expect.stringMatching(detail) })
    expect(await app.stored()).toEqual(before)
  })

  it('refuses a form with two names', async () => {
    const answer = await postUser('name=a&name=b', 'application/x-www-form-urlencoded')
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ field: 'name' })
  })

  it.each(['text/plain', 'multipart/form-data; boundary=x', 'audio/wav', 'nonsense'])(
    'refuses a body of Content-Type %s with 415',
    async (contentType) => {
      const answer = await postUser('{"name":"a"}', contentType)
      expect(answer.status).toBe(415)
      expect(await answer.json()).toMatchObject({ code: 'unsupported-media-type' })
    },
  )

  it('refuses a body that is larger than any name with 413', async () => {
    const answer = await postUser(`{"name":"${'x'.repeat(20_000)}"}`)
    expect(answer.status).toBe(413)
    expect(await answer.json()).toMatchObject({ code: 'too-large' })
  })

  it('gives a name to one of many who ask for it at the same moment, and 409 to the others', async () => {
    const before = await app.stored()
    const names = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'Kurt' : ' Kurt '))
    const answers = await Promise.all(names.map((name) => postUser(JSON.stringify({ name }))))
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([201, ...Array.from({ length: 19 }, () => 409)])
    const refused = answers.find(({ status }) => status === 409)
    expect(await refused?.json()).toMatchObject({ code: 'name-taken' })
    expect((await app.stored()).users).toBe(before.users + 1)
  })
})
