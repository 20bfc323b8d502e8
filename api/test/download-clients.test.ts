/** curl and ffmpeg, as people use them on a link: resuming, ranges, conditions, seeking. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, mkdtemp, readFile, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { decodeByFfmpeg } from '../../test/support/judges.ts'
import { missing } from '../../test/support/requirement.ts'
import { readyRecording } from './ready-mp3.ts'
import { type RunningApp, startApp } from './running-app.ts'

const run = promisify(execFile)

let app: RunningApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app?.stop())

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wavemill-clients-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe.skipIf(missing('curl'))('curl', () => {
  const mp3 = randomBytes(1_300_000)
  let url = ''
  beforeAll(async () => {
    url = (await readyRecording(app, mp3)).url
  })

  /** @returns the status; what is downloaded is written to the path after `-o`. */
  async function curl(...args: string[]): Promise<string> {
    const common = ['--silent', '--show-error', '--write-out', '%{http_code}']
    return (await run('curl', [...common, ...args, url], { cwd: folder })).stdout
  }
  const downloaded = (name: string) => readFile(join(folder, name))

  it('-C - goes on where a download broke off, and adds nothing to a whole one', async () => {
    expect(await curl('-o', 'song.mp3')).toBe('200')
    await truncate(join(folder, 'song.mp3'), 1_100_000)
    expect(await curl('-C', '-', '-o', 'song.mp3')).toBe('206')
    expect((await downloaded('song.mp3')).equals(mp3)).toBe(true)
    expect(await curl('-C', '-', '-o', 'song.mp3')).toBe('416')
    expect((await downloaded('song.mp3')).equals(mp3)).toBe(true)
  })

  it('-r gives ranges', async () => {
    expect(await curl('-r', '100-2000', '-o', 'middle')).toBe('206')
    expect((await downloaded('middle')).equals(mp3.subarray(100, 2001))).toBe(true)
    expect(await curl('-r', '-77', '-o', 'end')).toBe('206')
    expect((await downloaded('end')).equals(mp3.subarray(-77))).toBe(true)
    expect(await curl('-r', '0-9,500-509', '-o', 'parts')).toBe('206')
    expect((await downloaded('parts')).includes(mp3.subarray(500, 510))).toBe(true)
  })

  it('-z downloads only what is newer than the file that is there', async () => {
    expect(await curl('--remote-time', '-o', 'song.mp3')).toBe('200')
    expect(await curl('-z', 'song.mp3', '-o', 'again.mp3')).toBe('304')
    await expect(access(join(folder, 'again.mp3'))).rejects.toThrow('ENOENT')
    expect(await curl('-z', '2001-01-01', '-o', 'again.mp3')).toBe('200')
  })

  it('--etag-save and --etag-compare download only what has changed', async () => {
    expect(await curl('--etag-save', 'etag', '-o', 'song.mp3')).toBe('200')
    expect(await curl('--etag-compare', 'etag', '-o', 'again.mp3')).toBe('304')
    expect((await downloaded('song.mp3')).equals(mp3)).toBe(true)
  })

  it('-OJ saves it under its name', async () => {
    expect(await curl('-OJ')).toBe('200')
    expect((await downloaded('take 1.mp3')).equals(mp3)).toBe(true)
  })
})

describe.skipIf(missing('ffmpeg'))('ffmpeg', () => {
  it('seeks in the link by ranges, and hears what the file has there', async () => {
    const file = join(folder, 'tone.mp3')
    const tone = 'sine=frequency=440:beep_factor=4:duration=240'
    await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', tone, '-b:a', '128k', file])
    const { url } = await readyRecording(app, await readFile(file))

    const before = app.logs().length
    const heard = await decodeByFfmpeg(url, { fromSeconds: 230 })
    const expected = await decodeByFfmpeg(file, { fromSeconds: 230 })
    expect(Buffer.from(heard.buffer).equals(Buffer.from(expected.buffer))).toBe(true)
    expect(heard.length).toBeGreaterThan(9 * 44_100)
    expect(heard.length).toBeLessThan(11 * 44_100)
    const seeks =
      app
        .logs()
        .slice(before)
        .match(/"path":"\/record","status":206/g) ?? []
    expect(seeks.length).toBeGreaterThan(1)
  })
})
