import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startProxy } from '../../test/support/cuttable-proxy.ts'
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts'
import { freePort } from '../../test/support/ports.ts'
import { buildWav } from '../../test/support/wav.ts'
import { openStream } from './event-source.ts'
import { eventually } from './eventually.ts'
import { CONTENT_TYPE, multipartBody, post, uploadParts } from './multipart.ts'
import { connectRaw, head } from './raw-http.ts'
import type { User } from './running-app.ts'

let database: TestDatabase
let folder: string
const closers: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  database = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'wavemill-main-'))
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  await database.drop()
  await rm(folder, { recursive: true })
})

interface Started {
  readonly child: ChildProcess
  /** The exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>
  output(): string
}

function start(file: string, env: Record<string, string>): Started {
  const path = fileURLToPath(new URL(`../src/${file}`, import.meta.url))
  const child = fork(path, [], {
    execArgv: ['--conditions=source', '--import', 'tsx'],
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  child.stdout?.on('data', (text) => {
    output += text
  })
  child.stderr?.on('data', (text) => {
    output += text
  })
  const exited = once(child, 'exit').then(([code, signal]) => code ?? signal)
  closers.push(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  })
  return { child, exited, output: () => output }
}

function startMain(env: Record<string, string> = {}): Started {
  const own = { PORT: '0', DATABASE_URL: database.url, DATA_DIR: folder, MIN_FREE_DISK_MB: '0' }
  return start('main.ts', { ...own, ...env })
}

/** The port, as the process tells its parent. */
async function readyPort({ child, exited, output }: Started): Promise<number> {
  const outcome = await Promise.race([once(child, 'message'), exited])
  if (!Array.isArray(outcome)) throw new Error(`It ended with ${outcome}:\n${output()}`)
  const [message] = outcome
  expect(message).toEqual({ ready: true, port: expect.any(Number) })
  return message.port
}

async function createUser(port: number): Promise<User> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"Ada"}' }
  return (await (await fetch(`http://127.0.0.1:${port}/user`, init)).json()) as User
}

describe('the API process', () => {
  it('tells its parent when it listens, and serves', async () => {
    const port = await readyPort(startMain())
    expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200)
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s finishes a running upload, takes no new one, and ends with 0',
    async (signal) => {
      const started = startMain()
      const port = await readyPort(started)
      const user = await createUser(port)
      const body = multipartBody(uploadParts(user, buildWav()))
      const connection = await connectRaw(port)
      const headers = { 'content-type': CONTENT_TYPE, 'content-length': body.length }
      await connection.send(head(port, 'POST /record', headers))
      await connection.send(body.subarray(0, -5000))
      const wavDir = join(folder, 'wav')
      await eventually(async () => expect(await readdir(wavDir)).toEqual([expect.stringMatching(/\.part$/)]))

      started.child.kill(signal)
      await eventually(async () => expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow())
      await connection.send(body.subarray(-5000))
      expect((await connection.answer())?.status).toBe(202)
      await connection.closed // though it was kept alive
      connection.socket.destroy()
      expect(await started.exited).toBe(0)
      expect(started.output()).not.toContain('cut off')
      expect(await readdir(wavDir)).toEqual(['1.wav'])
    },
  )

  it('on SIGTERM answers at once whoever waits, ends their streams, and ends with 0', async () => {
    const started = startMain()
    const port = await readyPort(started)
    const user = await createUser(port)
    const body = multipartBody(uploadParts(user, buildWav()))
    const uploaded = await post(`http://127.0.0.1:${port}/record`, body)
    const { url } = (await uploaded.json()) as { url: string }
    const stream = await openStream(url.replace('/record?', '/record/events?'))
    const poll = fetch(url, { headers: { prefer: 'wait=60' } })
    await stream.until(({ data }) => data.status === 'queued')
    started.child.kill('SIGTERM')
    expect((await poll).status).toBe(202)
    await stream.ended
    expect(await started.exited).toBe(0)
    expect(started.output()).not.toContain('cut off')
  })

  it('ends when its parent is gone', async () => {
    const started = startMain()
    await readyPort(started)
    started.child.disconnect()
    expect(await started.exited).toBe(0)
  })

  it('waits for its database, and can be told to stop meanwhile', async () => {
    const proxy = await startProxy(database.url, { cut: true })
    closers.push(() => proxy.stop())
    const impatient = startMain({ DATABASE_URL: proxy.url })
    const patient = startMain({ DATABASE_URL: proxy.url })
    for (const { output } of [impatient, patient]) {
      await eventually(() => expect(output()).toContain('Waiting for the database'))
    }
    impatient.child.kill('SIGTERM')
    expect(await impatient.exited).toBe(0)
    await proxy.restore()
    const port = await readyPort(patient)
    expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200)
  })

  it('serves while Redis is away from the start, and says so', async () => {
    const port = await readyPort(startMain({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` }))
    const ready = await fetch(`http://127.0.0.1:${port}/health/ready`)
    expect(ready.status).toBe(503)
    expect(await ready.json()).toMatchObject({ failing: ['queue'] })
    expect((await createUser(port)).name).toBe('Ada')
  })

  it('lists every bad setting and ends with 1', async () => {
    const started = startMain({ PORT: 'many', LOG_LEVEL: 'loud' })
    expect(await started.exited).toBe(1)
    expect(started.output()).toMatch(/PORT must be.*LOG_LEVEL must be/s)
  })

  it('ends with 1 without a database, without an admin where only the admin registers, or where its port is taken', async () => {
    const first = startMain({ DATABASE_URL: '' })
    expect(await first.exited).toBe(1)
    expect(first.output()).toContain('DATABASE_URL must be set')
    const closed = startMain({ REGISTRATION: 'admin', ADMIN_PASSWORD: '' })
    expect(await closed.exited).toBe(1)
    expect(closed.output()).toContain('ADMIN_PASSWORD must be set')
    const port = await readyPort(startMain())
    const second = startMain({ PORT: String(port) })
    expect(await second.exited).toBe(1)
    expect(second.output()).toContain('EADDRINUSE')
  })
})

describe('the health check of the container', () => {
  it('ends with 0 while the API answers, and with 1 otherwise', async () => {
    const started = startMain()
    const port = await readyPort(started)
    expect(await start('healthcheck-main.ts', { PORT: String(port) }).exited).toBe(0)
    started.child.kill('SIGTERM')
    await started.exited
    expect(await start('healthcheck-main.ts', { PORT: String(port) }).exited).toBe(1)
  })
})
