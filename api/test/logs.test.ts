import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { eventually } from './eventually.ts'
import { finishLinked, keyOf } from './finished-record.ts'
import { CONTENT_TYPE, multipartBody, post, uploadParts } from './multipart.ts'
import { connectRaw, exchange, head } from './raw-http.ts'
import { type RunningApp, startApp } from './running-app.ts'

const password = 'correct horse battery staple'

let app: RunningApp
beforeAll(async () => {
  app = await startApp({ settings: { adminPassword: password } })
})
afterAll(() => app?.stop())

/** Logged lines as objects, once those of the given requests are among them. */
async function linesOf(...requestIds: string[]): Promise<Record<string, unknown>[]> {
  const read = () =>
    app
      .logs()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  await eventually(() => {
    const over = read().filter(({ msg }) => msg === 'request')
    for (const id of requestIds) expect(over.map(({ reqId }) => reqId)).toContain(id)
  })
  return read()
}

it('no token, password or link is in any log line of a whole story, even at the lowest level', async () => {
  const user = await app.createUser('Logged')
  const secrets = new Set([user.token, password, Buffer.from(`admin:${password}`).toString('base64')])
  const wav = buildWav()
  const [userPart, token, file] = uploadParts(user, wav)

  // The story: uploads with the token in the form and in the header, polls, a download.
  const bearer = { authorization: `Bearer ${user.token}` }
  for (const [parts, headers] of [
    [[userPart, token, file], {}],
    [[userPart, file], bearer],
  ] as const) {
    const answer = await post(`${app.baseUrl}/record`, multipartBody(parts), headers)
    const { id, url, statusUrl } = (await answer.json()) as { id: string; url: string; statusUrl: string }
    secrets.add(id)
    for (const address of [url, statusUrl]) await fetch(address, { headers: bearer })
    await finishLinked(app.db, url, randomBytes(5000))
    await (await fetch(url)).arrayBuffer()
    // Links that somebody misspelt, and other ways to get one into an address.
    for (const path of [`/record&id=${id}`, `/record/${id}`, `/record%3Fid=${id}`, `/${id}%`, `/x#${id}`]) {
      await exchange(app.port, head(app.port, `GET ${path}`))
    }
    await exchange(app.port, head(app.port, `GET http://${id}@127.0.0.1/record?id=${id}&user=${user.id}`))
    await exchange(app.port, head(app.port, `PUT /record?id=${id}`))
    await exchange(app.port, head(app.port, `BREW /record?id=${id}`))
    // What breaks inside.
    await app.db.prisma.chunk.deleteMany({ where: { recordKey: await keyOf(app.db, url) } })
    expect((await fetch(url)).status).toBe(500)
    await app.databaseProxy.cut()
    expect((await fetch(url)).status).toBe(503)
    expect((await post(`${app.baseUrl}/record`, multipartBody(parts), headers)).status).toBe(503)
    await app.databaseProxy.restore()
  }

  // Refusals, with a wrong but well-formed token, and a broken off upload.
  const wrong = randomUUID()
  secrets.add(wrong)
  await post(`${app.baseUrl}/record`, multipartBody([userPart, { name: 'token', data: wrong }, file]))
  await post(`${app.baseUrl}/record?token=${user.token}`, multipartBody([userPart, token, token]))
  await post(`${app.baseUrl}/record`, multipartBody([userPart, { name: user.token, data: '1' }]))
  await fetch(`${app.baseUrl}/user`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"token":"${user.token}"}`,
  })
  const connection = await connectRaw(app.port)
  await connection.send(
    head(app.port, 'POST /record', { 'content-type': CONTENT_TYPE, 'content-length': 99_999, ...bearer }),
  )
  await connection.send(multipartBody([userPart, file]).subarray(0, 5000))
  connection.socket.destroy()
  for (const credentials of [`admin:${password}`, `admin:${wrong}`]) {
    const headers = { authorization: `Basic ${btoa(credentials)}` }
    await fetch(`${app.baseUrl}/queues/`, { headers })
    await fetch(`${app.baseUrl}/queues/api/queues?activeQueue=segments`, { headers })
  }
  const last = await fetch(`${app.baseUrl}/nowhere`)
  await linesOf(last.headers.get('x-request-id') ?? '')

  const logs = app.logs()
  expect(logs.length).toBeGreaterThan(5000)
  for (const secret of secrets) {
    expect(logs).not.toContain(secret)
    expect(logs).not.toContain(secret.replaceAll('-', ''))
  }
  expect(logs).not.toMatch(/(?:id|user|token)=[0-9a-f]{4}/i)
})

it('every line of a request has its id, and one says how it ended', async () => {
  const answers = [
    await fetch(`${app.baseUrl}/health/live`),
    await fetch(`${app.baseUrl}/nowhere/at/all?q=1`),
    await fetch(`${app.baseUrl}/record?id=1&user=2`),
    await fetch(`${app.baseUrl}/%`),
  ]
  const ids = answers.map((answer) => answer.headers.get('x-request-id') ?? '')
  const lines = await linesOf(...ids)
  const over = ids.map((id) => lines.find(({ msg, reqId }) => msg === 'request' && reqId === id))
  expect(over).toMatchObject([
    { method: 'GET', path: '/health/live', status: 200 },
    { method: 'GET', path: '/nowhere/at/all', status: 404, code: 'not-found' },
    { method: 'GET', path: '/record', status: 404, code: 'unknown-record' },
    { method: 'GET', path: '/%', status: 400, code: 'malformed-request' },
  ])
})

it('an upload whose client went away is logged as aborted, and as nobody’s fault', async () => {
  const requestId = randomUUID()
  const connection = await connectRaw(app.port)
  const headers = { 'content-type': CONTENT_TYPE, 'content-length': 1000, 'x-request-id': requestId }
  await connection.send(head(app.port, 'POST /record', headers))
  connection.socket.destroy()
  const lines = (await linesOf(requestId)).filter(({ reqId }) => reqId === requestId)
  expect(lines).toContainEqual(expect.objectContaining({ msg: 'request', aborted: true }))
  expect(lines.filter(({ level }) => Number(level) >= 40)).toEqual([])
})
