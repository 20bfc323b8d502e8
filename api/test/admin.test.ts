/** What the admin password opens: users who are helped, a registration that is closed; and how often it may be guessed. */
import { randomUUID } from 'node:crypto'
import { get } from 'node:http'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLoginAttempts } from '../src/login-attempts.ts'
import { eventually } from './eventually.ts'
import { ask, statusOf, upload } from './own-user.ts'
import { type RunningApp, startApp } from './running-app.ts'

const password = 'correct horse'
const login = { authorization: `Basic ${btoa(`admin:${password}`)}` }
const wrongLogin = { authorization: `Basic ${btoa('admin:wrong')}` }

interface Told {
  readonly id: string
  readonly token: string
}

/** What was noted for the audit log, in its order. */
function audited(app: RunningApp): Record<string, unknown>[] {
  const lines = app.logs().trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === 'audit')
}

describe('where everybody may register', () => {
  let app: RunningApp
  beforeAll(async () => {
    app = await startApp({ settings: { adminPassword: password } })
  })
  afterAll(() => app?.stop())

  const asAdmin = (method: string, path: string, headers: Record<string, string> = {}) =>
    fetch(app.baseUrl + path, { method, headers: { ...login, ...headers } })

  it('a name whose token was never seen is made useful again by the admin, who knows no more than the name', async () => {
    const lost = await app.createUser('Zo\u00eb & Co')
    const answer = await asAdmin('POST', `/user/token?name=${encodeURIComponent(' Zoe\u0308 & Co')}`)
    expect(answer.status).toBe(200)
    const { id, token } = (await answer.json()) as Told
    expect(id).toBe(lost.id)
    expect(await statusOf(ask(app, 'GET', `/records?user=${id}`, token))).toBe(200)
    expect(await statusOf(ask(app, 'GET', `/records?user=${id}`, lost.token))).toBe(401)
    expect(app.logs()).not.toContain(token)
    expect(audited(app)).toContainEqual(
      expect.objectContaining({ audit: 'token-renewed', by: 'admin', userId: id, address: '127.0.0.1' }),
    )
  })

  it('the admin gives a new token by the id too, and deletes a user with all that is theirs', async () => {
    const user = await app.createUser('Mallory')
    const { url } = await upload(app, user)
    const { token } = (await (await asAdmin('POST', `/user/token?user=${user.id}`)).json()) as Told
    expect(await statusOf(ask(app, 'GET', `/records?user=${user.id}`, token))).toBe(200)
    expect((await asAdmin('DELETE', '/user?name=Mallory')).status).toBe(204)
    expect(await statusOf(fetch(url))).toBe(404)
    expect((await asAdmin('DELETE', `/user?user=${user.id}`)).status).toBe(404)
    await app.createUser('Mallory')
    const ofMallory = audited(app).filter(({ userId }) => userId === user.id)
    expect(ofMallory).toMatchObject([
      { audit: 'user-created', by: 'user' },
      { audit: 'record-created', recordKey: expect.stringMatching(/^\d+$/) },
      { audit: 'token-renewed', by: 'admin' },
      { audit: 'user-deleted', by: 'admin' },
    ])
  })

  it.each([
    ['/user/token?name=nobody', 404, 'unknown-user'],
    [`/user/token?user=${randomUUID()}`, 404, 'unknown-user'],
    ['/user/token?user=1', 400, 'bad-field'],
    ['/user/token?name=%00', 400, 'bad-name'],
    ['/user/token', 400, 'missing-field'],
    [`/user/token?name=a&user=${randomUUID()}`, 400, 'bad-field'],
    ['/user/token?name=a&name=b', 400, 'bad-field'],
  ])('tells the admin what is wrong with %s', async (path, status, code) => {
    const answer = await asAdmin('POST', path)
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ code })
  })

  it('obeys no page of another site, whose forms a browser sends with the admin’s stored password', async () => {
    const user = await app.createUser()
    const path = `/user/token?user=${user.id}`
    for (const site of ['cross-site', 'same-site']) {
      const answer = await asAdmin('POST', path, { 'sec-fetch-site': site })
      expect(answer.status).toBe(403)
      expect(await answer.json()).toMatchObject({ code: 'cross-site' })
    }
    expect(await statusOf(ask(app, 'GET', `/records?user=${user.id}`, user.token))).toBe(200)
    expect((await asAdmin('POST', path, { 'sec-fetch-site': 'same-origin' })).status).toBe(200)
  })
})

describe('a guesser', () => {
  let app: RunningApp
  beforeAll(async () => {
    app = await startApp({ settings: { adminPassword: password } })
  })
  afterAll(() => app?.stop())

  it('is stopped after ten wrong passwords, whatever they were for; from elsewhere the admin still gets in', async () => {
    const user = await app.createUser()
    const guess = (path: string, method = 'GET', headers = wrongLogin) =>
      fetch(app.baseUrl + path, { method, headers })
    for (let times = 0; times < 5; times += 1) {
      expect(await statusOf(guess('/queues/'))).toBe(401)
      expect(await statusOf(guess(`/user/token?user=${user.id}`, 'POST'))).toBe(401)
      expect(await statusOf(fetch(`${app.baseUrl}/queues/`))).toBe(401) // no guess: how a login begins
    }
    for (const headers of [wrongLogin, login]) {
      const answer = await guess(`/user/token?user=${user.id}`, 'POST', headers)
      expect(answer.status).toBe(429)
      expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60)
      expect(await answer.json()).toMatchObject({ code: 'too-many-logins' })
    }
    expect(await statusFrom('127.0.0.2', `${app.baseUrl}/queues/`, login)).toBe(200)
    expect(await statusOf(ask(app, 'GET', `/records?user=${user.id}`, user.token))).toBe(200)
    const events = audited(app).map(({ audit }) => audit)
    expect(events.filter((event) => event === 'login-refused')).toHaveLength(10)
    expect(events).toContain('login-throttled')
  })
})

it('an address may be wrong ten times in a minute, others never suffer for it, and no number of tries makes it longer', () => {
  const steps = fc.array(
    fc.record({ address: fc.constantFrom('a', 'b'), ms: fc.integer({ min: 0, max: 20_000 }) }),
    { minLength: 50, maxLength: 300 },
  )
  fc.assert(
    fc.property(steps, (sequence) => {
      let now = 0
      const attempts = createLoginAttempts(() => now)
      const wrong = new Map<string, number[]>()
      for (const { address, ms } of sequence) {
        now += ms
        const own = wrong.get(address) ?? []
        const waitMs = attempts.msToWait(address)
        expect(waitMs).toBeLessThanOrEqual(60_000)
        if (waitMs > 0) expect(own.filter((at) => at > now - 60_000).length).toBeGreaterThanOrEqual(1)
        if (own.filter((at) => at > now - 60_000).length < 10) expect(waitMs).toBe(0)
        if (waitMs > 0) continue
        attempts.noteWrong(address)
        wrong.set(address, [...own, now])
      }
    }),
  )
})

it('REGISTRATION=admin lets only the admin create users, and reads no body of others', async () => {
  const app = await startApp({ settings: { adminPassword: password, registration: 'admin' } })
  try {
    const create = (headers: Record<string, string>, name = 'Ada') =>
      fetch(`${app.baseUrl}/user`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ name }),
      })
    for (const headers of [{}, wrongLogin, { authorization: `Bearer ${randomUUID()}` }]) {
      const answer = await create(headers)
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /)
    }
    expect((await app.stored()).users).toBe(0)
    const user = (await (await create(login)).json()) as Told
    expect(await statusOf(ask(app, 'GET', `/records?user=${user.id}`, user.token))).toBe(200)
    expect(await statusOf(create(login))).toBe(409)
    await eventually(() =>
      expect(audited(app)).toContainEqual(expect.objectContaining({ audit: 'user-created', by: 'admin' })),
    )
  } finally {
    await app.stop()
  }
})

it('without a password nobody is the admin, the empty one included', async () => {
  const app = await startApp()
  try {
    const user = await app.createUser()
    for (const credentials of ['admin:', ':', '', 'admin:undefined']) {
      const headers = { authorization: `Basic ${btoa(credentials)}` }
      const answer = fetch(`${app.baseUrl}/user/token?user=${user.id}`, { method: 'POST', headers })
      expect(await statusOf(answer)).toBeOneOf([400, 401])
    }
    expect(await statusOf(ask(app, 'GET', `/records?user=${user.id}`, user.token))).toBe(200)
  } finally {
    await app.stop()
  }
})

/** Asks from another address of this machine. */
function statusFrom(localAddress: string, url: string, headers: Record<string, string>) {
  return new Promise<number | undefined>((resolve, reject) => {
    const asked = get(url, { agent: false, localAddress, headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    asked.once('error', reject)
  })
}
