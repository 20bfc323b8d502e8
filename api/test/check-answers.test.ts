/** The comparison with /openapi.json that all other tests rest on: it finds what is wrong, and only that. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OpenApiDocument } from '../src/openapi/document.ts'
import { checkAnswers, reportFaults } from './check-answers.ts'
import { startApp } from './running-app.ts'

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }
const PROBLEM_TYPE = { 'content-type': 'application/problem+json; charset=utf-8' }
const waiting = { status: 'queued', progress: 0, position: 1, estimatedSeconds: 2, retryAfter: 2 }
const gone = { type: 'about:blank', title: 'Gone', status: 410, detail: 'It was deleted.', code: 'gone' }

let server: Server
let answer: RequestListener
beforeAll(async () => {
  const app = await startApp()
  const document = (await (await fetch(`${app.baseUrl}/openapi.json`)).json()) as OpenApiDocument
  await app.stop()
  server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  checkAnswers(server, document)
})
afterAll(() => server?.close())

interface Case {
  readonly ask: string
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: object
}

/** Has the server give that answer. */
async function give({ ask, status, headers = JSON_TYPE, body }: Case): Promise<void> {
  answer = (_request, response) => {
    response.statusCode = status
    response.setHeaders(new Map(Object.entries({ 'x-request-id': '1', ...headers })))
    if (body === undefined) return response.end()
    const json = JSON.stringify(body) // in two pieces, as a stream would
    response.write(json.slice(0, 5))
    return response.end(json.slice(5))
  }
  const [method = '', path = ''] = ask.split(' ')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No TCP port')
  await (await fetch(`http://127.0.0.1:${address.port}${path}`, { method })).text()
}

const wait = { 'retry-after': '2' }
const right: [string, Case][] = [
  ['a body as it is described', { ask: 'GET /health/live', status: 200, body: { status: 'live' } }],
  ['its HEAD', { ask: 'HEAD /health/live', status: 200 }],
  [
    'one with its header',
    { ask: 'GET /record?id=1', status: 202, headers: { ...JSON_TYPE, ...wait }, body: waiting },
  ],
  ['a problem', { ask: 'GET /record?id=1', status: 410, headers: PROBLEM_TYPE, body: gone }],
  ['no body', { ask: 'DELETE /record?id=1', status: 204, headers: {} }],
  ['a problem where there is no route', { ask: 'GET /x', status: 410, headers: PROBLEM_TYPE, body: gone }],
]

const wrong: [string, Case, RegExp][] = [
  [
    'a status that is not listed',
    { ask: 'GET /health/live', status: 202, body: { status: 'live' } },
    /status is not/,
  ],
  [
    'a value that is not listed',
    { ask: 'GET /health/live', status: 200, body: { status: 'dead' } },
    /"dead"/,
  ],
  [
    'a field that is missing',
    { ask: 'GET /health/live', status: 200, body: {} },
    /required property 'status'/,
  ],
  [
    'a number where a whole one is due',
    {
      ask: 'GET /record',
      status: 202,
      headers: { ...JSON_TYPE, ...wait },
      body: { ...waiting, position: 0.5 },
    },
    /position must be integer/,
  ],
  ['a header that is missing', { ask: 'GET /record', status: 202, body: waiting }, /without retry-after/i],
  ['a header that is missing in a HEAD', { ask: 'HEAD /record', status: 202 }, /without retry-after/i],
  [
    'another type',
    { ask: 'GET /health/live', status: 200, headers: { 'content-type': 'text/html' } },
    /text\/html/,
  ],
  ['a body where there is none', { ask: 'DELETE /record', status: 204 }, /a body of application\/json/],
  [
    'a code that is not listed',
    { ask: 'GET /record', status: 410, headers: PROBLEM_TYPE, body: { ...gone, code: 'lost' } },
    /code/,
  ],
  ['a route that is not there', { ask: 'GET /elsewhere', status: 200, body: {} }, /no such route/],
  ['a method that is not there', { ask: 'PATCH /record', status: 200, body: {} }, /no such route/],
]

describe('the comparison of answers with /openapi.json', () => {
  it.each(right)('lets %s pass', async (_what, given) => {
    await give(given)
    expect(reportFaults).not.toThrow()
  })

  it.each(wrong)('fails a test for %s', async (_what, given, fault) => {
    await give(given)
    expect(reportFaults).toThrow(fault)
    expect(reportFaults).not.toThrow() // once is enough
  })
})
