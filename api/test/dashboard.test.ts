import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRedis } from '../../test/support/redis.ts'
import { missing } from '../../test/support/requirement.ts'
import { type RunningApp, startApp } from './running-app.ts'

const admin = { adminUser: 'boss', adminPassword: 'pässword' }
// UTF-8, as the challenge asks.
const login = { authorization: `Basic ${Buffer.from('boss:pässword').toString('base64')}` }

async function statusOf(app: RunningApp, path: string, init: RequestInit = {}): Promise<number> {
  const answer = await fetch(`${app.baseUrl}${path}`, init)
  await answer.body?.cancel()
  return answer.status
}

describe('the dashboard behind a password', () => {
  let app: RunningApp
  beforeAll(async () => {
    app = await startApp({ settings: admin })
    await app.queue.add([{ recordKey: '7', seq: 0 }])
  })
  afterAll(() => app?.stop())

  it('asks for a login, with problem details', async () => {
    for (const path of ['/queues', '/queues/', '/queues/api/queues', '/queues/static/images/logo.svg']) {
      const answer = await fetch(`${app.baseUrl}${path}`)
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="Wavemill"/)
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
      expect(await answer.json()).toMatchObject({ code: 'unauthorized' })
    }
  })

  it.each(['boss:', 'boss:wrong', 'admin:pässword', ':pässword', ':', 'boss:pässword '])(
    'does not let in %s',
    async (credentials) => {
      const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`
      expect(await statusOf(app, '/queues/', { headers: { authorization } })).toBe(401)
    },
  )

  it.each(['Basic', 'Basic !!!', 'Bearer boss', 'x'])('does not let in %s', async (authorization) => {
    expect(await statusOf(app, '/queues/', { headers: { authorization } })).toBe(401)
  })

  it('shows the page, its files and the jobs', async () => {
    const page = await fetch(`${app.baseUrl}/queues/`, { headers: login })
    expect(page.status).toBe(200)
    const html = await page.text()
    expect(html).toContain('Wavemill')
    const script = /src="([^"]+\.js)"/.exec(html)?.[1] ?? ''
    const address = new URL(script, `${app.baseUrl}/queues/`)
    expect((await fetch(address, { headers: login })).status).toBe(200)
    const job = await fetch(`${app.baseUrl}/queues/api/queues/segments/r7-s0`, { headers: login })
    expect(await job.json()).toMatchObject({ job: { data: { recordKey: '7', seq: 0 } } })
  })

  it('is read-only', async () => {
    const put = { method: 'PUT', headers: login }
    expect(await statusOf(app, '/queues/api/queues/segments/pause', put)).toBeGreaterThanOrEqual(400)
    expect(await app.queue.bull.isPaused()).toBe(false)
    expect(await statusOf(app, '/queues/api/queues/segments/r7-s0/clean', put)).toBeGreaterThanOrEqual(400)
    expect(await app.queue.counts()).toMatchObject({ waiting: 1 })
  })

  it('has problem details for what is not there', async () => {
    const answer = await fetch(`${app.baseUrl}/queues/static/nothing.js`, { headers: login })
    expect(answer.status).toBe(404)
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  })
})

it('lets the operator change jobs where it is not read-only', async () => {
  const settings = { ...admin, dashboardReadOnly: false }
  const app = await startApp({ settings })
  try {
    const put = { method: 'PUT', headers: login }
    expect(await statusOf(app, '/queues/api/queues/segments/pause', put)).toBe(200)
    expect(await app.queue.bull.isPaused()).toBe(true)
  } finally {
    await app.stop()
  }
})

it('is not there at all where no password is set', async () => {
  const app = await startApp()
  try {
    for (const path of ['/queues', '/queues/', '/queues/api/queues']) {
      expect(await statusOf(app, path)).toBe(404)
    }
  } finally {
    await app.stop()
  }
})

it.skipIf(missing('redis-server'))(
  'is 503 without internals while the queue is away, whether it was ever there or not',
  async () => {
    const redis = await startRedis()
    const wasThere = await startApp({ settings: admin, redisUrl: redis.url })
    await redis.stop()
    const neverThere = await startApp({ settings: admin, redisUrl: redis.url })
    try {
      for (const app of [wasThere, neverThere]) {
        const answer = await fetch(`${app.baseUrl}/queues/api/queues`, { headers: login })
        expect(answer.status).toBe(503)
        const text = await answer.text()
        expect(JSON.parse(text)).toMatchObject({ code: 'unavailable' })
        expect(text).not.toMatch(/redis|ioredis|ECONN|at .*js:/i)
      }
    } finally {
      await wasThere.stop()
      await neverThere.stop()
    }
  },
)
