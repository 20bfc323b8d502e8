/** The page's address and its files, and what their headers allow a browser to do. */
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApp, startApp } from './running-app.ts'

let app: RunningApp
let html = ''
let policy = ''
beforeAll(async () => {
  app = await startApp()
  const answer = await fetch(app.baseUrl)
  html = await answer.text()
  policy = answer.headers.get('content-security-policy') ?? ''
})
afterAll(() => app?.stop())

/** Whatever the page loads, as its browser would ask for it. */
const filesOf = (text: string) =>
  [...text.matchAll(/(?:src|href)="(\.\/assets\/[^"]+)"/g)].map(([, path = '']) => path)

describe('GET /', () => {
  it('is a page that may load nothing from elsewhere, and run no code but its own files', () => {
    expect(html).toMatch(/^<!doctype html>/)
    const directives = new Map(policy.split('; ').map((one) => [one.split(' ')[0], one.split(' ').slice(1)]))
    expect(directives.get('default-src')).toEqual(["'none'"])
    expect(directives.get('script-src')).toEqual(["'self'"])
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
  })

  it('allows the styles of its own scripts by a nonce that is never the same', async () => {
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? ''
    expect(Buffer.from(nonce, 'base64')).toHaveLength(16)
    expect(html).toContain(`nonce="${nonce}"`)
    expect(html).not.toContain('NONCE')
    const again = await fetch(app.baseUrl)
    expect(await again.text()).not.toContain(nonce)
    expect(again.headers.get('cache-control')).toBe('no-store')
  })

  it('names its files relatively, so that a proxy may have it below a path, and each of them is there', async () => {
    const files = filesOf(html)
    expect(files.length).toBeGreaterThanOrEqual(3)
    for (const file of files) {
      const answer = await fetch(new URL(file, `${app.baseUrl}/`))
      expect(answer.status, file).toBe(200)
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      await answer.arrayBuffer()
    }
  })

  it('is 60 KB of script and style at most, gzipped, and the same where nothing is compressed', async () => {
    let bytes = 0
    for (const file of filesOf(html).filter((path) => /\.(js|css)$/.test(path))) {
      const path = new URL(file, `${app.baseUrl}/`)
      const plain = Buffer.from(
        await (await fetch(path, { headers: { 'accept-encoding': 'identity' } })).arrayBuffer(),
      )
      const zipped = await rawBody(path, 'gzip')
      bytes += zipped.length
      expect(gunzipSync(zipped).equals(plain)).toBe(true)
    }
    expect(bytes).toBeGreaterThan(1_000)
    expect(bytes).toBeLessThan(60_000)
  })

  it('has no other files', async () => {
    for (const path of ['/assets/', '/assets/none.js', '/assets/%2e%2e/index.html', '/index.html']) {
      const answer = await fetch(app.baseUrl + path)
      expect(answer.status, path).toBe(404)
      expect(await answer.json()).toMatchObject({ code: 'not-found' })
    }
  })
})

/** The bytes as they come: fetch would unpack them. */
async function rawBody(url: URL, encoding: string): Promise<Buffer> {
  const asked = get(url, { agent: false, headers: { 'accept-encoding': encoding } })
  const [answer]: IncomingMessage[] = await once(asked, 'response')
  if (answer === undefined) throw new Error('No answer')
  return await buffer(answer)
}
