/** Headless Chromium plays a link in an <audio> element of another site's page, and seeks in it. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missing } from '../../test/support/requirement.ts'
import { readyRecording } from './ready-mp3.ts'
import { type RunningApp, startApp } from './running-app.ts'

const run = promisify(execFile)

/** Seeks to 200 s as soon as it can, plays on, and tells how long the audio is and that it went on from there. */
const page = (
  url: string,
) => `<!doctype html><audio preload="metadata" src="${url.replaceAll('&', '&amp;')}"></audio>
<script>
  const audio = document.querySelector('audio')
  const tell = (what) => fetch('/told', { method: 'POST', body: JSON.stringify(what) })
  audio.onerror = () => tell({ error: audio.error.message })
  audio.onloadedmetadata = () => { audio.currentTime = 200 }
  audio.onseeked = () => audio.play().catch((error) => tell({ error: String(error) }))
  audio.ontimeupdate = () => {
    if (audio.paused || audio.currentTime < 200.2) return
    audio.ontimeupdate = null
    tell({ duration: audio.duration, position: audio.currentTime })
  }
</script>`

let app: RunningApp
let folder = ''
beforeAll(async () => {
  app = await startApp()
  folder = await mkdtemp(join(tmpdir(), 'wavemill-browser-'))
})
afterAll(async () => {
  await app?.stop()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** Serves the page, and resolves with what it tells. */
async function startSite(html: string): Promise<{ server: Server; url: string; told: Promise<unknown> }> {
  let resolve = (_what: unknown) => {}
  const told = new Promise<unknown>((settle) => {
    resolve = settle
  })
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') resolve(JSON.parse(await text(request)))
    response.setHeader('content-type', 'text/html').end(html)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No TCP port')
  return { server, url: `http://127.0.0.1:${address.port}/`, told }
}

describe.skipIf(missing('chromium') || missing('ffmpeg'))('headless Chromium', () => {
  it('knows how long the MP3 is, seeks in it by ranges, and plays on from there', async () => {
    const file = join(folder, 'tone.mp3')
    const tone = 'sine=frequency=440:duration=240'
    await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', tone, '-b:a', '128k', file])
    const { url } = await readyRecording(app, await readFile(file))
    const site = await startSite(page(url))
    const chromium = spawn(
      'chromium',
      [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
        ...['--autoplay-policy=no-user-gesture-required', `--user-data-dir=${join(folder, 'profile')}`],
        ...['--remote-debugging-port=0', site.url], // which keeps it running until it is told to stop
      ],
      { stdio: 'ignore' },
    )
    const ended = once(chromium, 'exit')
    try {
      const told = await Promise.race([site.told, ended.then(([code]) => ({ ended: code }))])
      expect(told).toEqual({ duration: expect.closeTo(240, 0), position: expect.any(Number) })
      expect(app.logs()).toMatch(/"path":"\/record","status":206/)
    } finally {
      chromium.kill()
      await ended
      site.server.closeAllConnections()
      site.server.close()
    }
  })
})
