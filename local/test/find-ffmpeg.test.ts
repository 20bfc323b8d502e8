import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { findFfmpeg } from '../src/find-ffmpeg.ts'
import { temporaryFolder } from './support/folder.ts'

const run = promisify(execFile)

it('takes the named one before that of the PATH', async () => {
  const folder = await folderWithFfmpeg(0o755)
  expect(await findFfmpeg('/opt/my ffmpeg', folder)).toEqual({ path: '/opt/my ffmpeg', isPackaged: false })
})

it('takes the first in the PATH that can be run', async () => {
  const [broken, good] = [await folderWithFfmpeg(0o644), await folderWithFfmpeg(0o755)]
  const searchPath = ['', '/does/not/exist', broken, good].join(delimiter)
  expect(await findFfmpeg(undefined, searchPath)).toEqual({ path: join(good, 'ffmpeg'), isPackaged: false })
})

it('falls back on a packaged ffmpeg that runs and can encode MP3', async () => {
  const { path, isPackaged } = await findFfmpeg(undefined, '/does/not/exist')
  expect(isPackaged).toBe(true)
  const { stdout } = await run(path, ['-hide_banner', '-encoders'])
  expect(stdout).toContain('libmp3lame')
})

async function folderWithFfmpeg(mode: number): Promise<string> {
  const folder = join(await temporaryFolder(), 'bin')
  await mkdir(folder)
  await writeFile(join(folder, 'ffmpeg'), '#!/bin/sh\n', { mode })
  return folder
}
