/** What each answer allows a browser to do, and that the dashboard does with it. */
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missing, pathOf } from '../../test/support/requirement.ts'
import { ask } from './own-user.ts'
import { readyRecording } from './ready-mp3.ts'
import { type RunningApp, startApp } from './running-app.ts'

const admin = { adminUser: 'admin', adminPassword: 'long enough' }
const login = { authorization: `Basic ${btoa('admin:long enough')}` }
const NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

let app: RunningApp
beforeAll(async () => {
  app = await startApp({ settings: { ...admin, dashboardReadOnly: false } })
  await app.queue.add([{ recordKey: '7', seq: 0 }])
})
afterAll(() => app?.stop())

async function headersOf(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Headers> {
  const answer = await fetch(app.baseUrl + path, { method, headers })
  await answer.body?.cancel()
  return answer.headers
}

it.each([
  ['JSON', '/openapi.json', 'GET'],
  ['a script', '/docs/start.js', 'GET'],
  ['health', '/health/live', 'GET'],
  ['a problem', '/record?id=1&user=2', 'GET'],
  ['an unknown address', '/nowhere', 'GET'],
  ['a wrong method', '/record', 'PUT'],
  ['a refused login', '/queues/', 'GET'],
])(
  '%s allows nothing to run, to load, or to frame it, and is taken for nothing else',
  async (_what, path, method) => {
    const headers = await headersOf(path, {}, method)
    expect(headers.get('content-security-policy')).toBe(NOTHING)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('strict-transport-security')).toBeNull() // the proxy's to say
    expect(headers.get('x-powered-by')).toBeNull()
  },
)

it('every page has a policy of its own that runs no script but its own files, and may not be framed', async () => {
  for (const path of ['/', '/docs', '/queues/']) {
    const headers = await headersOf(path, login)
    const policy = headers.get('content-security-policy') ?? ''
    const directives = new Map(policy.split('; ').map((one) => [one.split(' ')[0], one.split(' ').slice(1)]))
    expect(directives.get('default-src'), path).toEqual(["'none'"])
    expect(directives.get('script-src'), path).toEqual(["'self'"])
    expect(directives.get('frame-ancestors'), path).toEqual(["'none'"])
    expect(policy).not.toMatch(/unsafe-eval|https?:|\*/)
    expect(headers.get('referrer-policy')).toBe('no-referrer')
  }
})

it('an MP3 is sandboxed, and may be played on the page of another site', async () => {
  const { path } = await readyRecording(app, Buffer.from('an MP3'.repeat(100)))
  const headers = await headersOf(path)
  expect(headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin')
})

it('without CORS_ORIGINS no other site’s scripts may read anything, and there is no preflight', async () => {
  const asked = { origin: 'https://app.example', 'access-control-request-method': 'DELETE' }
  for (const [path, method] of [
    ['/records?user=1', 'OPTIONS'],
    ['/openapi.json', 'GET'],
  ] as const) {
    const names = [...(await headersOf(path, asked, method)).keys()]
    expect(names.filter((name) => name.startsWith('access-control'))).toEqual([])
  }
})

describe.skipIf(missing('chromium'))('the dashboard in headless Chromium', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: pathOf('chromium') ?? '' })
  })
  afterAll(() => browser?.close())

  it('shows the queue with nothing refused but the fonts of another host, which is not asked', async () => {
    const credentials = { username: 'admin', password: 'long enough', send: 'always' as const }
    const page = await browser.newPage({ httpCredentials: credentials })
    const faults: string[] = []
    const hosts = new Set<string>()
    page.on('pageerror', (error) => faults.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text())
    })
    page.on('response', (answer) => void hosts.add(new URL(answer.url()).host))
    await page.goto(`${app.baseUrl}/queues/queue/segments`, { waitUntil: 'load' })
    await page.getByText('r7-s0').first().waitFor()
    // Its fonts would tell Google who looks at the queue: refused, and the browser's own are shown.
    expect(faults.filter((fault) => !fault.includes("'https://fonts.googleapis.com/"))).toEqual([])
    expect([...hosts]).toEqual([new URL(app.baseUrl).host])
    await page.close()
  })

  it('what it changes is in the audit log', async () => {
    const answer = await fetch(`${app.baseUrl}/queues/api/queues/segments/pause`, {
      method: 'PUT',
      headers: login,
    })
    expect(answer.status).toBe(200)
    await expect
      .poll(() => app.logs(), { timeout: 30_000 })
      .toMatch(
        /"audit":"queue-changed","address":"127.0.0.1","by":"admin","request":"PUT \/queues\/api\/queues\/segments\/pause"/,
      )
  })
})

describe.skipIf(missing('chromium'))('CORS_ORIGINS', () => {
  let browser: Browser
  let api: RunningApp
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: pathOf('chromium') ?? '' })
    api = await startApp({ settings: { corsOrigins: [app.baseUrl] } })
  })
  afterAll(async () => {
    await browser?.close()
    await api?.stop()
  })

  /** What a script of the page of `site` gets from the other service. */
  async function fromPageOf(site: string, url: string, init: object): Promise<unknown> {
    const page = await browser.newPage({ bypassCSP: true }) // of that site, but with no policy of its own
    try {
      await page.goto(`${site}/health/live`)
      return await page.evaluate(
        ({ url, init }) =>
          fetch(url, init).then(
            async (answer) => ({ status: answer.status, ...Object.fromEntries(answer.headers.entries()) }),
            (error: unknown) => String(error),
          ),
        { url, init },
      )
    } finally {
      await page.close()
    }
  }

  it('lets the scripts of that site send the token and read what they need, and no other’s', async () => {
    const user = await api.createUser()
    const list = `${api.baseUrl}/records?user=${user.id}`
    const withToken = {
      headers: { authorization: `Bearer ${user.token}`, prefer: 'wait=0', 'idempotency-key': 'a' },
    }
    expect(await fromPageOf(app.baseUrl, list, withToken)).toMatchObject({
      status: 200,
      'x-request-id': expect.any(String),
    })
    const other = api.baseUrl.replace('127.0.0.1', 'localhost')
    expect(await fromPageOf(other, list, withToken)).toMatch(/Failed to fetch/)
    expect(await fromPageOf(other, `${api.baseUrl}/openapi.json`, {})).toMatch(/Failed to fetch/)
  })

  it('lets them read ranges with ETag and digest, refusals, and unknown addresses', async () => {
    const { url } = await readyRecording(api, Buffer.from('an MP3'.repeat(100)))
    const ranged = { headers: { range: 'bytes=0-9', 'if-range': '"x"' } }
    expect(await fromPageOf(app.baseUrl, url, { headers: { range: 'bytes=0-9' } })).toMatchObject({
      status: 206,
      etag: expect.any(String),
      'content-range': 'bytes 0-9/600',
      'repr-digest': expect.any(String),
    })
    expect(await fromPageOf(app.baseUrl, url, ranged)).toMatchObject({ status: 200 })
    expect(await fromPageOf(app.baseUrl, `${api.baseUrl}/nowhere`, {})).toMatchObject({ status: 404 })
    expect(await fromPageOf(app.baseUrl, `${api.baseUrl}/record`, { method: 'DELETE' })).toMatchObject({
      status: 400,
    })
  })

  it('leaves plain OPTIONS, unknown addresses and wrong methods as they are', async () => {
    const plain = await fetch(`${api.baseUrl}/records`, { method: 'OPTIONS' })
    expect([plain.status, plain.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
    expect((await fetch(`${api.baseUrl}/nowhere`, { method: 'OPTIONS' })).status).toBe(404)
    expect((await fetch(`${api.baseUrl}/user`)).status).toBe(405)
    expect((await ask(api, 'GET', '/nowhere', undefined)).status).toBe(404)
  })
})
