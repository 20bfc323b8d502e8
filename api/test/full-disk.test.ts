import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { multipartBody, post, uploadParts } from './multipart.ts'
import { type RunningApp, startApp } from './running-app.ts'

const run = promisify(execFile)
const MB = 1_048_576

let app: RunningApp | undefined
afterEach(async () => {
  await app?.stop()
  app = undefined
})

describe('less free disk than MIN_FREE_DISK_MB', () => {
  it('is 507 with nothing stored, and everything else goes on', async () => {
    app = await startApp({ settings: { minFreeDiskBytes: Number.MAX_SAFE_INTEGER } })
    const user = await app.createUser()
    const answer = await post(`${app.baseUrl}/record`, multipartBody(uploadParts(user, buildWav())))
    expect(answer.status).toBe(507)
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(await answer.json()).toMatchObject({ code: 'out-of-space' })
    expect(await app.stored()).toMatchObject({ records: 0, segments: 0, files: [] })
    expect((await fetch(`${app.baseUrl}/health/ready`)).status).toBe(200)
  })
})

/** A file system of 4 MB, if this process may mount one. */
async function mountSmallDisk(): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'wavemill-disk-'))
  try {
    await asRoot('mount', '-t', 'tmpfs', '-o', 'size=4m,mode=1777', 'tmpfs', folder)
    return folder
  } catch (error) {
    await rm(folder, { recursive: true })
    if (process.env.CI === 'true') throw error
    console.error('SKIPPED: tests that need a full disk, because no tmpfs can be mounted')
    return undefined
  }
}

async function asRoot(command: string, ...args: string[]): Promise<void> {
  if (process.getuid?.() === 0) await run(command, args)
  else await run('sudo', ['-n', command, ...args])
}

describe('a disk that fills up', () => {
  let disk: string | undefined
  beforeAll(async () => {
    disk = await mountSmallDisk()
  })
  afterAll(async () => {
    if (disk === undefined) return
    await asRoot('umount', disk)
    await rm(disk, { recursive: true })
  })

  it('in the middle of an upload is 507 with nothing left, and the next small one is taken', async (context) => {
    if (disk === undefined) return context.skip()
    app = await startApp({ wavDir: disk })
    const user = await app.createUser()
    const upload = (bytes: number) =>
      post(`${app?.baseUrl}/record`, multipartBody(uploadParts(user, buildWav({ samples: bytes / 4 }))))
    for (let time = 0; time < 3; time += 1) {
      const answer = await upload(6 * MB)
      expect(answer.status).toBe(507)
      expect(await answer.json()).toMatchObject({ code: 'out-of-space' })
      expect(await app.stored()).toMatchObject({ records: 0, segments: 0, files: [] })
    }
    expect((await upload(MB)).status).toBe(202)
    expect(await app.stored()).toMatchObject({ records: 1, files: ['1.wav'] })
  })

  it('shows in /health/ready', async (context) => {
    if (disk === undefined) return context.skip()
    app = await startApp({ wavDir: disk })
    const filler = join(disk, 'filler')
    await writeFile(filler, Buffer.alloc(await app.wavStore.freeBytes()))
    const answer = await fetch(`${app.baseUrl}/health/ready`)
    await rm(filler)
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ code: 'unavailable', failing: ['wavStore'] })
  })
})
