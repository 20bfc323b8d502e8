import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectRaw, exchange, head } from './raw-http.ts'
import { type RunningApp, startApp } from './running-app.ts'

let app: RunningApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app?.stop())

/** Expects problem details of this status and code on a plain socket. */
async function expectProblem(request: string, status: number, code: string) {
  const answer = await exchange(app.port, request)
  expect(answer?.status).toBe(status)
  expect(answer?.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  expect(answer?.headers.get('x-request-id')).toMatch(/^[\w-]+$/)
  const problem = JSON.parse(answer?.body ?? '')
  expect(problem).toMatchObject({ type: 'about:blank', status, code })
  expect(problem.title).toMatch(/./)
  expect(problem.detail).toMatch(/./)
  return answer
}

describe('addresses', () => {
  it.each(['/nowhere', '/users', '/record/', '/RECORD', '/record/status/x', '/queues', '/health'])(
    'answers 404 at %s',
    async (path) => {
      await expectProblem(head(app.port, `GET ${path}`), 404, 'not-found')
    },
  )

  it('answers 404 also where a body of an unknown type comes with it', async () => {
    const headers = { 'content-type': 'application/json', 'content-length': 1 }
    await expectProblem(`${head(app.port, 'POST /nowhere', headers)}{`, 404, 'not-found')
    const audio = { 'content-type': 'audio/wav', 'content-length': 1 }
    await expectProblem(`${head(app.port, 'PUT /nowhere', audio)}x`, 404, 'not-found')
  })

  it.each(['/%', '/record%ZZ', '/%c3%28'])('answers 400 where %s cannot be decoded', async (path) => {
    await expectProblem(head(app.port, `GET ${path}`), 400, 'malformed-request')
  })

  it('understands a request in absolute form', async () => {
    const answer = await exchange(app.port, head(app.port, `GET http://127.0.0.1:${app.port}/health/live`))
    expect(answer?.status).toBe(200)
  })
})

describe('methods', () => {
  it.each([
    ['/user', 'DELETE, OPTIONS, POST'],
    ['/user/token', 'OPTIONS, POST'],
    ['/record', 'DELETE, GET, HEAD, OPTIONS, POST'],
    ['/records', 'GET, HEAD, OPTIONS'],
    ['/record/status', 'GET, HEAD, OPTIONS'],
    ['/health/live', 'GET, HEAD, OPTIONS'],
    ['/health/ready', 'GET, HEAD, OPTIONS'],
    ['/us%65r?x=1', 'DELETE, OPTIONS, POST'],
  ])('of %s are %s: others get 405, and OPTIONS says which', async (path, allow) => {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'PURGE']) {
      if (allow.includes(method)) continue
      const answer = await expectProblem(head(app.port, `${method} ${path}`), 405, 'method-not-allowed')
      expect(answer?.headers.get('allow')).toBe(allow)
    }
    const options = await exchange(app.port, head(app.port, `OPTIONS ${path}`))
    expect(options?.status).toBe(204)
    expect(options?.headers.get('allow')).toBe(allow)
    expect(options?.headers.get('x-request-id')).toMatch(/./)
  })

  it('OPTIONS of an unknown address is 404', async () => {
    await expectProblem(head(app.port, 'OPTIONS /nowhere'), 404, 'not-found')
  })

  it('HEAD has the headers of GET and no body', async () => {
    const connection = await connectRaw(app.port)
    await connection.send(head(app.port, 'HEAD /health/live'))
    await connection.send(head(app.port, 'GET /health/live', { connection: 'close' }))
    await connection.closed
    const [, first, second] = connection.rest().split('HTTP/1.1 ')
    connection.socket.destroy()
    expect(first).toMatch(/^200 OK\r\n[^{]*content-length: 17\r\n[^{]*\r\n\r\n$/s)
    expect(second).toMatch(/^200 OK\r\n.*\{"status":"live"\}$/s)
  })
})

describe('bytes that are no request', () => {
  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n', 400],
    ['two lengths', 'POST /user HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    [
      'a length and chunks',
      'POST /user HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['a length that is no number', 'POST /user HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n', 400],
    [
      'a broken chunk',
      'POST /user HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      400,
    ],
    ['headers of 20 KB', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['an address of 20 KB', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
  ])('%s get problem details and the end of the connection', async (_what, bytes, status) => {
    const connection = await connectRaw(app.port)
    await connection.send(Buffer.from(bytes, 'latin1'))
    const answer = await connection.answer()
    expect(answer?.status).toBe(status)
    expect(answer?.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(answer?.headers.get('x-request-id')).toMatch(/./)
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ status })
    await connection.closed
    connection.socket.destroy()
  })

  it('a JSON body that is cut off gets 400', async () => {
    const connection = await connectRaw(app.port)
    const headers = { 'content-type': 'application/json', 'content-length': 100 }
    await connection.send(`${head(app.port, 'POST /user', headers)}{"name":`)
    connection.socket.end()
    const answer = await connection.answer()
    expect(answer?.status).toBe(400)
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ code: 'malformed-body' })
  })
})

describe('the Host header', () => {
  it.each([
    ['is missing', 'GET /health/live HTTP/1.1\r\n\r\n'],
    ['comes twice', 'GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['is empty', 'GET /health/live HTTP/1.1\r\nHost: \r\n\r\n'],
    ['has a path', 'GET /health/live HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    ['has a user', 'GET /health/live HTTP/1.1\r\nHost: me@a\r\n\r\n'],
    ['has markup', 'GET /health/live HTTP/1.1\r\nHost: a"><script>\r\n\r\n'],
    ['has a query', 'GET /health/live HTTP/1.1\r\nHost: a?b\r\n\r\n'],
    ['has a port that is none', 'GET /health/live HTTP/1.1\r\nHost: a:80x\r\n\r\n'],
    ['is too long', `GET /health/live HTTP/1.1\r\nHost: ${'a'.repeat(300)}\r\n\r\n`],
  ])('that %s gets 400', async (_what, request) => {
    await expectProblem(request, 400, 'malformed-request')
  })

  it.each(['localhost', 'a.example:8080', '192.0.2.7', '[::1]:80', 'my_host-1.lan'])(
    '%s is fine',
    async (host) => {
      const answer = await exchange(app.port, `GET /health/live HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      expect(answer?.status).toBe(200)
    },
  )

  it('may be missing in HTTP/1.0', async () => {
    const answer = await exchange(app.port, 'GET /health/live HTTP/1.0\r\n\r\n')
    expect(answer?.status).toBe(200)
  })
})

describe('x-request-id', () => {
  it('is the client’s own where that is short and plain', async () => {
    const answer = await fetch(`${app.baseUrl}/nowhere`, { headers: { 'x-request-id': 'abc-123_4.5:6' } })
    expect(answer.headers.get('x-request-id')).toBe('abc-123_4.5:6')
    expect(app.logs()).toContain('"reqId":"abc-123_4.5:6"')
  })

  it.each(['', 'a b', 'x'.repeat(101), '<script>', '{"a":1}'])(
    'is a new one instead of "%s"',
    async (given) => {
      const answer = await fetch(`${app.baseUrl}/health/live`, { headers: { 'x-request-id': given } })
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    },
  )
})
