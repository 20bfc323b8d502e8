/** Headless Chromium opens the page of the description: it shows every operation, and asks no other host for anything. */
import { once } from 'node:events'
import { request as ask, createServer, type Server } from 'node:http'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missing, pathOf } from '../../test/support/requirement.ts'
import type { OpenApiDocument } from '../src/openapi/document.ts'
import { type RunningApp, startApp } from './running-app.ts'

interface Opened {
  /** Every address that was asked for. */
  readonly requests: readonly string[]
  /** Errors and warnings of the console, of scripts and of the page's policy, and requests that failed. */
  readonly faults: readonly string[]
}

/** Runs in the page before its own scripts. */
const TELL_VIOLATIONS = `document.addEventListener('securitypolicyviolation',
  ({ violatedDirective, blockedURI }) => console.error('refused by ' + violatedDirective + ': ' + blockedURI))`

describe.skipIf(missing('chromium'))('/docs in headless Chromium', () => {
  let app: RunningApp
  let browser: Browser
  let summaries: string[]
  beforeAll(async () => {
    app = await startApp()
    browser = await chromium.launch({ executablePath: pathOf('chromium') ?? '' })
    const document = (await (await fetch(`${app.baseUrl}/openapi.json`)).json()) as OpenApiDocument
    summaries = Object.values(document.paths).flatMap((operations) =>
      Object.values(operations).map(({ summary }) => summary),
    )
  })
  afterAll(async () => {
    await browser?.close()
    await app?.stop()
  })

  async function open(url: string): Promise<Opened> {
    const page = await browser.newPage()
    const requests: string[] = []
    const faults: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    page.on('requestfailed', (request) => faults.push(`failed: ${request.url()}`))
    page.on('pageerror', (error) => faults.push(String(error)))
    page.on('console', (message) => {
      if (/error|warning/.test(message.type())) faults.push(message.text())
    })
    await page.addInitScript(TELL_VIOLATIONS)
    try {
      await page.goto(url, { waitUntil: 'networkidle' })
      // What is far below is shown when somebody comes near it.
      for (const summary of summaries) {
        await page.getByRole('heading', { name: summary, exact: true }).scrollIntoViewIfNeeded()
      }
      return { requests, faults }
    } finally {
      await page.close()
    }
  }

  it('shows every operation, breaks no rule of its policy, and asks nobody but its own host', async () => {
    const { requests, faults } = await open(`${app.baseUrl}/docs`)
    expect(faults).toEqual([])
    expect(requests).toContain(`${app.baseUrl}/openapi.json`)
    expect(requests.filter((url) => !url.startsWith(`${app.baseUrl}/`))).toEqual([])
  })

  it('works below a path of a proxy too', async () => {
    const proxy = await startPathProxy('/audio/mill', app.baseUrl)
    try {
      const { faults, requests } = await open(`${proxy.url}/docs`)
      expect(faults).toEqual([])
      expect(requests).toContain(`${proxy.url}/openapi.json`)
      expect(requests.filter((url) => !url.startsWith(`${proxy.url}/`))).toEqual([])
    } finally {
      proxy.server.closeAllConnections()
      proxy.server.close()
    }
  })
})

/** Has what is at `target` below `path`, as a proxy of a site with other things has it. */
async function startPathProxy(path: string, target: string): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const { url = '', method, headers } = request
    if (!url.startsWith(`${path}/`)) return response.writeHead(404).end()
    const onward = ask(target + url.slice(path.length), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    return request.pipe(onward)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No TCP port')
  return { server, url: `http://127.0.0.1:${address.port}${path}` }
}
