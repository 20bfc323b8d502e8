import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { eventually } from './eventually.ts'
import { finishLinked } from './finished-record.ts'
import { multipartBody, post, uploadParts } from './multipart.ts'
import { connectRaw, exchange, head, type RawConnection } from './raw-http.ts'
import { type RunningApp, startApp } from './running-app.ts'

const idleMs = 500

let app: RunningApp
beforeAll(async () => {
  app = await startApp({ limits: { idleMs } })
})
afterAll(() => app?.stop())

const connections: RawConnection[] = []
afterEach(() => {
  for (const { socket } of connections.splice(0)) socket.destroy()
})

async function open(): Promise<RawConnection> {
  const connection = await connectRaw(app.port)
  connections.push(connection)
  return connection
}

it('a connection on which nothing comes is closed', async () => {
  const silent = await open()
  await silent.closed
})

it('a connection that stops in the middle of its headers is closed', async () => {
  const half = await open()
  await half.send(`GET /health/live HTTP/1.1\r\nHost: 127.0.0.1:${app.port}\r\n`)
  await half.closed
})

it('a download that nobody reads is cut off', async () => {
  const user = await app.createUser()
  const answer = await post(`${app.baseUrl}/record`, multipartBody(uploadParts(user, buildWav())))
  const { url } = (await answer.json()) as { url: string }
  await finishLinked(app.db, url, randomBytes(40 * 1_048_576))
  const lazy = await open()
  await lazy.send(head(app.port, `GET ${url.slice(app.baseUrl.length)}`))
  await eventually(() => expect(lazy.rest().length).toBeGreaterThan(0))
  lazy.socket.pause()
  await eventually(() => expect(app.logs()).toMatch(/"path":"\/record","status":200,"ms":\d+,"aborted":true/))
})

it('a client that waits for us is not cut off, however long that takes', async () => {
  const blocker = await app.db.pool.connect()
  try {
    await blocker.query('BEGIN')
    await blocker.query('LOCK TABLE "user" IN ACCESS EXCLUSIVE MODE')
    const body = '{"name":"patient"}'
    const patient = await open()
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    await patient.send(head(app.port, 'POST /user', headers) + body)
    await new Promise((resolve) => setTimeout(resolve, 3 * idleMs))
    await blocker.query('COMMIT')
    expect((await patient.answer())?.status).toBe(201)
  } finally {
    blocker.release()
  }
})

it.each([
  ['an Expect that is unknown', { expect: '200-maybe' }],
  ['the wish for another protocol', { connection: 'upgrade', upgrade: 'websocket' }],
  ['the wish for HTTP/2', { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': '' }],
])('%s is ignored', async (_what, headers) => {
  const answer = await exchange(app.port, head(app.port, 'GET /health/live', headers))
  expect(answer?.status).toBe(200)
})

it('several requests sent at once are answered in their order', async () => {
  const connection = await open()
  const paths = ['/health/live', '/nowhere', '/record?id=1&user=2', '/health/ready']
  await connection.send(paths.map((path) => head(app.port, `GET ${path}`)).join(''))
  const statuses: unknown[] = []
  for (const _path of paths) statuses.push((await connection.answer())?.status)
  expect(statuses).toEqual([200, 404, 404, 200])
})
