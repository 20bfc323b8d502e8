/** A backup of a service that runs, restored on another machine: what was ready is the same, what waited becomes ready. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { repositoryRoot, type Service, startService } from '../../bench/src/service.ts'
import { mpg123SampleCount } from '../support/judges.ts'
import { speech, tones } from '../support/material.ts'
import { missing } from '../support/requirement.ts'
import { createUser, download, upload } from '../support/story.ts'
import { buildWav } from '../support/wav.ts'

vi.setConfig({ testTimeout: 300_000 })

const run = promisify(execFile)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wavemill backup '))
})
afterAll(() => rm(folder, { recursive: true }))

const start = (dataDir: string, settings: Record<string, string> = {}) =>
  startService({ dataDir, settings: { MIN_FREE_DISK_MB: '0', ...settings } })

/** Runs its entry, as npm would after its set-up, which the start of the service has done. */
function command(name: 'backup' | 'restore' | 'books', dataDir: string, ...args: string[]) {
  const env = { ...process.env, DATABASE_URL: '', REDIS_URL: '', WAV_DIR: '', DATA_DIR: dataDir }
  return run(process.execPath, [`local/dist/${name}-main.js`, ...args], { cwd: repositoryRoot, env })
}

/** An ffmpeg that does not begin while a file says so. */
async function holdableFfmpeg(): Promise<{ path: string; hold(): Promise<void> }> {
  const path = join(folder, 'ffmpeg')
  const sign = join(folder, 'hold')
  await writeFile(path, `#!/bin/sh\nif [ -e '${sign}' ]; then exec sleep 600; fi\nexec ffmpeg "$@"\n`, {
    mode: 0o755,
  })
  return { path, hold: () => writeFile(sign, '') }
}

describe.skipIf(missing('ffmpeg') || missing('mpg123'))('npm run backup and restore', () => {
  it('moves a service that runs, with all that waits in it, to an empty data folder', async () => {
    const [here, there] = [join(folder, 'here'), join(folder, 'there')]
    const file = join(folder, 'wavemill.backup')
    const ffmpeg = await holdableFfmpeg()
    const old = await start(here, { FFMPEG_PATH: ffmpeg.path })
    const story = tellStory(old, ffmpeg.hold).then(async (links) => {
      const { stdout } = await command('backup', here, file)
      expect(stdout).toMatch(/^Backed up: 1 users and 2 recordings, of which 1 wait/)
      return links
    })
    const { ready, waiting } = await story.finally(() => old.stop())
    expect((await stat(file)).mode & 0o777).toBe(0o600)

    expect((await command('restore', there, file)).stdout).toMatch(
      /^Restored: 1 users and 2 recordings, of which 1 wait/,
    )
    const restored = await start(there)
    try {
      expect(sha256(await download(restored.baseUrl, ready.link))).toBe(ready.digest)
      expect(await mpg123SampleCount(await download(restored.baseUrl, waiting.link))).toBe(waiting.samples)
      await expect(command('restore', there, file)).rejects.toMatchObject({
        stderr: expect.stringContaining('stop it first'),
      })
      expect((await command('books', there)).stdout).toBe('The books add up.\n')
    } finally {
      await restored.stop()
    }
    await expect(command('restore', there, file)).rejects.toMatchObject({
      stderr: expect.stringContaining('an empty one only'),
    })
  })
})

async function tellStory(service: Service, hold: () => Promise<void>) {
  const user = await createUser(service.baseUrl)
  const ready = await upload(service.baseUrl, user, buildWav({ samples: 100_000, material: speech() }))
  const digest = sha256(await download(service.baseUrl, ready))
  await hold()
  const samples = 77_777
  const waiting = await upload(service.baseUrl, user, buildWav({ samples, material: tones() }))
  return { ready: { link: ready, digest }, waiting: { link: waiting, samples } }
}
