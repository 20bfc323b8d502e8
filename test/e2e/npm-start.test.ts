/** `npm start` as people and accidents treat it: started, stopped, started again, and killed in every part. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { descendantsOf, findDescendant } from '../../bench/src/processes.ts'
import { repositoryRoot, type Service, startService } from '../../bench/src/service.ts'
import { ffmpegSampleCount, mpg123SampleCount } from '../support/judges.ts'
import { speech, sweep } from '../support/material.ts'
import { missing } from '../support/requirement.ts'
import { createUser, download, upload } from '../support/story.ts'
import { buildWav } from '../support/wav.ts'

vi.setConfig({ testTimeout: 300_000 })

const run = promisify(execFile)
const noJudge = missing('mpg123') || missing('ffmpeg') || missing('ffprobe')
const spokenWav = '/usr/share/sounds/alsa/Front_Center.wav'

let folder = ''
let dataDir = ''
let running: Service[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wavemill start '))
  dataDir = join(folder, 'the data')
})

afterEach(async () => {
  for (const service of running) await service.stop()
  running = []
  await rm(folder, { recursive: true })
})

async function start(options: Partial<Parameters<typeof startService>[0]> = {}): Promise<Service> {
  const settings = { MIN_FREE_DISK_MB: '0', ...options.settings }
  const service = await startService({ dataDir, ...options, settings })
  running.push(service)
  return service
}

describe.skipIf(noJudge)('npm start', () => {
  it('serves the story, leaves no process when it is stopped, and gives the same bytes when it is started again', async () => {
    const first = await start({ command: ['npm', 'start'] })
    const user = await createUser(first.baseUrl)
    // The length for which the frame that ffmpeg itself writes is wrong.
    const wavs = [buildWav({ samples: 879_000, material: speech() }), await realSpeech()]
    const stories = await Promise.all(wavs.map((wav) => tell(first, user, wav)))
    for (const { mp3, samples } of stories) {
      expect(await mpg123SampleCount(mp3)).toBe(samples)
      expect(await ffmpegSampleCount(mp3)).toBe(samples)
    }
    const password = (await readFile(join(dataDir, 'admin-password'), 'utf8')).trim()
    expect(await openDashboard(first, password)).toBe(200)
    for (const told of [
      `Wavemill is ready: ${first.baseUrl}`,
      `curl ${first.baseUrl}/user`,
      password,
      dataDir,
    ]) {
      expect(first.output()).toContain(told)
    }
    await stopAndFindNothing(first, 'SIGTERM')

    const second = await start()
    for (const { link, mp3 } of stories) {
      expect((await download(second.baseUrl, link)).equals(mp3)).toBe(true)
    }
    expect(second.output()).not.toContain(password)
    expect(await openDashboard(second, password)).toBe(200)
    expect(await books()).toBe('The books add up.\n')
    await stopAndFindNothing(second, 'SIGINT')
    expect(await books()).toBe('The books add up.\n')
    for (const secret of ['admin-password', 'postgres-password', 'database-url']) {
      expect((await stat(join(dataDir, secret))).mode & 0o077, secret).toBe(0)
    }
  })

  it('replaces each part that is killed, and goes on', async () => {
    const service = await start()
    const user = await createUser(service.baseUrl)
    for (const part of ['api/dist/main.js', 'worker/dist/main.js', 'bin/postgres']) {
      const killed = await findDescendant(service.pid, part)
      process.kill(killed, 'SIGKILL')
      await until(async () => (await findDescendant(service.pid, part)) !== killed)
      await until(async () => (await fetch(`${service.baseUrl}/health/ready`)).status === 200)
      const { mp3, samples } = await tell(service, user, buildWav({ samples: 50_000 }))
      expect(await mpg123SampleCount(mp3), part).toBe(samples)
    }
    expect(await books()).toBe('The books add up.\n')
  })

  it('loses none of twenty recordings when all is killed in the middle of them, and then itself alone', async () => {
    const first = await start()
    const user = await createUser(first.baseUrl)
    const stories: { link: string; samples: number }[] = []
    for (let number = 0; number < 20; number += 1) {
      const samples = 44_100 * 30 + 1001 * number
      const wav = buildWav({ samples, loopSamples: 44_100, material: sweep() })
      stories.push({ link: await upload(first.baseUrl, user, wav), samples })
    }
    for (const pid of [first.pid, ...(await descendantsOf(first.pid))]) kill(pid, 'SIGKILL')

    const second = await start()
    const left = await descendantsOf(second.pid)
    kill(second.pid, 'SIGKILL')

    const third = await start()
    for (const { link, samples } of stories) {
      expect(await mpg123SampleCount(await download(third.baseUrl, link))).toBe(samples)
    }
    await until(async () => (await stillRunning(left)).length === 0)
    expect(await books()).toBe('The books add up.\n')
    await stopAndFindNothing(third, 'SIGTERM')
  })

  it('ends at once, with all that hangs, at a second Ctrl-C', async () => {
    const service = await start()
    const all = [service.pid, ...(await descendantsOf(service.pid))]
    kill(await findDescendant(service.pid, 'worker/dist/main.js'), 'SIGSTOP')
    kill(service.pid, 'SIGINT')
    await sleep(1_500) // a signal that npm passes on comes sooner
    expect(await stillRunning(all)).toContain(service.pid)
    kill(service.pid, 'SIGINT')
    await until(async () => (await stillRunning(all)).length === 0)
  })

  it('uses the packaged ffmpeg where the PATH has none, and says what another would bring', async () => {
    const bin = join(folder, 'bin')
    await mkdir(bin)
    // As root PostgreSQL runs in a user namespace, or as a user of its own where there is none (most containers).
    for (const path of ['/usr/bin/unshare', '/usr/bin/true', '/usr/bin/id', '/usr/sbin/useradd']) {
      await symlink(path, join(bin, basename(path)))
    }
    const service = await start({
      command: [process.execPath, 'local/dist/start-main.js'],
      settings: { PATH: bin, FFMPEG_PATH: '' },
    })
    expect(service.output()).toContain('2.5 times faster')
    const user = await createUser(service.baseUrl)
    const { mp3, samples } = await tell(service, user, buildWav({ samples: 100_001 }))
    expect(await mpg123SampleCount(mp3)).toBe(samples)
  })
})

describe('npm start refuses with a sentence, and leaves nothing running,', () => {
  it('where another one runs on the same data folder', async () => {
    const first = await start()
    expect(await refusal({})).toContain(`another one runs on ${dataDir}`)
    expect((await fetch(`${first.baseUrl}/health/ready`)).status).toBe(200)
  })

  it('where the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const address = server.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    expect(await refusal({ PORT: String(port) })).toContain(`port ${port} is taken by another program`)
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false)
  })

  it('where settings are wrong, all of them at once', async () => {
    expect(await refusal({ PORT: 'http', WORKERS: '0' })).toMatch(/PORT.*\n.*WORKERS/)
    expect(existsSync(dataDir)).toBe(false)
  })
})

/** What a start that must end with 1 says. */
async function refusal(settings: Record<string, string>): Promise<string> {
  const env = { ...process.env, DATA_DIR: dataDir, DATABASE_URL: '', PORT: '0', ...settings }
  const starting = run(process.execPath, ['local/run.mjs', 'start'], { cwd: repositoryRoot, env })
  const error: unknown = await starting.catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 1 })
  return error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
}

/** The status that a browser gets with this password. */
async function openDashboard({ baseUrl }: Service, password: string): Promise<number> {
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
  return (await fetch(`${baseUrl}/queues`, { headers: { authorization } })).status
}

interface Story {
  readonly link: string
  readonly mp3: Buffer
  /** Of one channel, as ffprobe counts them in the WAV. */
  readonly samples: number
}

async function tell({ baseUrl }: Service, user: { id: string; token: string }, wav: Buffer): Promise<Story> {
  const link = await upload(baseUrl, user, wav)
  return { link, mp3: await download(baseUrl, link), samples: await ffmpegSampleCount(wav) }
}

/** A recording of a person, where the system has one. */
async function realSpeech(): Promise<Buffer> {
  return existsSync(spokenWav) ? await readFile(spokenWav) : buildWav({ material: speech(), channels: 1 })
}

/** What `npm run books` prints. @throws unless all adds up. */
async function books(): Promise<string> {
  const env = { ...process.env, DATA_DIR: dataDir, DATABASE_URL: '', WAV_DIR: '' }
  const { stdout } = await run(process.execPath, ['local/run.mjs', 'books'], { cwd: repositoryRoot, env })
  return stdout
}

async function stopAndFindNothing(service: Service, signal: NodeJS.Signals): Promise<void> {
  const all = [service.pid, ...(await descendantsOf(service.pid))]
  expect(all.length).toBeGreaterThan(3)
  kill(service.pid, signal)
  // Not before all of its threads have ended does the system take back what it held, such as the data folder's lock.
  await until(async () => isGone(service.pid))
  expect(await stillRunning(all)).toEqual([])
}

/** Those that have not ended; an orphan that nobody has waited for yet has. */
async function stillRunning(pids: readonly number[]): Promise<number[]> {
  const found: number[] = []
  for (const pid of pids) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (commandLine !== '') found.push(pid)
  }
  return found
}

function isGone(pid: number): boolean {
  try {
    return !process.kill(pid, 0)
  } catch {
    return true
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // it has ended already
  }
}

/** Waits until it is so; an error counts as not yet. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo().catch(() => false))) await sleep(50)
}
