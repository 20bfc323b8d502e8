/** Behind a real nginx with TLS, set up as examples/nginx.conf is; and what forged headers do without one: nothing. */

import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type RequestOptions, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startNginx, type TestNginx } from '../../test/support/nginx.ts'
import { missing } from '../../test/support/requirement.ts'
import { buildWav } from '../../test/support/wav.ts'
import { eventually } from './eventually.ts'
import { finishLinked } from './finished-record.ts'
import { CONTENT_TYPE, multipartBody, uploadParts } from './multipart.ts'
import { exchange, head } from './raw-http.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const NAME = 'audio.example.org'
const forged = {
  'x-forwarded-for': '203.0.113.7',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  forwarded: 'for=203.0.113.7;host=evil.example;proto=https',
}

/** The addresses in the log lines of requests. */
function addressesIn(app: RunningApp): unknown[] {
  const lines = app.logs().trim().split('\n')
  return lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => msg === 'request' || msg === 'audit')
    .map(({ address }) => address)
}

describe.skipIf(missing('nginx') || missing('openssl'))('behind nginx', () => {
  let app: RunningApp
  let nginx: TestNginx
  beforeAll(async () => {
    app = await startApp({ settings: { trustProxy: ['127.0.0.1'] } })
    nginx = await startNginx(app.port)
  })
  afterAll(async () => {
    await nginx?.stop()
    await app?.stop()
  })

  async function ask(path: string, options: RequestOptions = {}, body?: Uint8Array): Promise<Answer> {
    const asked = request({
      ...{ host: '127.0.0.1', port: nginx.httpsPort, servername: NAME, ca: nginx.certificate, agent: false },
      ...options,
      path,
      headers: { host: NAME, ...options.headers },
    })
    asked.end(body)
    const [answer]: IncomingMessage[] = await once(asked, 'response')
    if (answer === undefined) throw new Error('No answer')
    return { status: answer.statusCode, headers: answer.headers, body: await text(answer) }
  }

  async function createUser(name: string, headers = {}): Promise<User> {
    const type = { 'content-type': 'application/json', ...headers }
    const answer = await ask(
      '/user',
      { method: 'POST', headers: type },
      Buffer.from(JSON.stringify({ name })),
    )
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.body}`)
    return JSON.parse(answer.body) as User
  }

  it('an upload comes through TLS, its link names the proxy, and gives the MP3 with its ranges', async () => {
    const user = await createUser('Ada')
    const body = multipartBody(uploadParts(user, buildWav({ samples: 1_000_000 })))
    const headers = { 'content-type': CONTENT_TYPE, 'content-length': body.length }
    const answer = await ask('/record', { method: 'POST', headers }, body)
    expect(answer.status).toBe(202)
    const { url } = JSON.parse(answer.body) as { url: string }
    expect(url).toMatch(new RegExp(`^https://${NAME}/record\\?id=`))
    expect(answer.headers.location).toBe(url)
    const { pathname, search } = new URL(url)
    expect((await ask(pathname + search)).status).toBe(202)
    const mp3 = Buffer.from('m'.repeat(300_000))
    await finishLinked(app.db, url, mp3)
    expect((await ask(pathname + search)).body).toBe(mp3.toString())
    const part = await ask(pathname + search, { headers: { range: 'bytes=5-9' } })
    expect(part).toMatchObject({ status: 206, body: 'mmmmm' })
    expect(part.headers['content-range']).toBe('bytes 5-9/300000')
  })

  it('an upload is not gathered by the proxy: it is refused while most of it has not been sent', async () => {
    const asked = request({
      ...{ host: '127.0.0.1', port: nginx.httpsPort, servername: NAME, ca: nginx.certificate, agent: false },
      ...{ path: '/record', method: 'POST' },
      headers: { host: NAME, 'content-type': CONTENT_TYPE, 'content-length': 4_000_000 },
    })
    asked.on('error', () => {}) // cut, as the rest of the body is not waited for
    const user = { id: '00000000-0000-4000-8000-000000000000', token: '00000000-0000-4000-8000-000000000000' }
    asked.write(multipartBody(uploadParts(user, buildWav())).subarray(0, 2_000))
    const [answer]: IncomingMessage[] = await once(asked, 'response')
    expect(answer?.statusCode).toBe(401)
    asked.destroy()
  })

  it('the log has the client’s address and not the proxy’s, and a client’s own X-Forwarded headers reach nobody', async () => {
    const user = await createUser('Eve', forged)
    const answer = await ask(`/openapi.json`, { headers: forged, localAddress: '127.0.0.9' })
    expect(JSON.parse(answer.body)).toMatchObject({ servers: [{ url: `https://${NAME}` }] })
    expect(user.name).toBe('Eve')
    await eventually(() => expect(addressesIn(app)).toContain('127.0.0.9'))
    expect(app.logs()).not.toContain('203.0.113.7')
  })

  it('plain HTTP is sent on to TLS', async () => {
    const answer = await exchange(nginx.httpPort, head(nginx.httpPort, 'GET /docs', { host: NAME }))
    expect(answer?.status).toBe(301)
    expect(answer?.headers.get('location')).toBe(`https://${NAME}/docs`)
  })
})

it('links begin with PUBLIC_URL where it is set, whatever a proxy says', async () => {
  const app = await startApp({ settings: { trustProxy: ['loopback'], publicUrl: 'https://mill.example/a' } })
  try {
    const answer = await fetch(`${app.baseUrl}/openapi.json`, { headers: forged })
    expect(await answer.json()).toMatchObject({ servers: [{ url: 'https://mill.example/a' }] })
  } finally {
    await app.stop()
  }
})

it.each([
  ['nobody is trusted', []],
  ['somebody else is', ['10.0.0.0/8', '::2']],
])('forged X-Forwarded headers change neither links nor the log where %s', async (_what, trustProxy) => {
  const app = await startApp({ settings: { trustProxy } })
  try {
    const answer = await fetch(`${app.baseUrl}/openapi.json`, { headers: forged })
    expect(await answer.json()).toMatchObject({ servers: [{ url: app.baseUrl }] })
    await eventually(() => expect(addressesIn(app).length).toBeGreaterThanOrEqual(2))
    expect(new Set(addressesIn(app))).toEqual(new Set(['127.0.0.1']))
  } finally {
    await app.stop()
  }
})

it('a trusted proxy that passes on nonsense is answered with 400, and no link is made of it', async () => {
  const app = await startApp({ settings: { trustProxy: ['127.0.0.1'] } })
  try {
    const wrong = [
      { 'x-forwarded-host': 'a.example/b?' },
      { 'x-forwarded-host': 'user@a.example' },
      { 'x-forwarded-proto': 'javascript' },
    ]
    for (const headers of wrong) {
      const answer = await fetch(`${app.baseUrl}/openapi.json`, { headers })
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({ code: 'malformed-request' })
    }
  } finally {
    await app.stop()
  }
})
