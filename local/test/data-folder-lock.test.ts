import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { lockDataFolder } from '../src/data-folder-lock.ts'
import { temporaryFolder } from './support/folder.ts'
import { runScript } from './support/script-child.ts'

it('gives a folder to one at a time, under whatever name', async () => {
  const folder = await temporaryFolder()
  const alias = join(await temporaryFolder(), 'alias')
  await symlink(folder, alias)
  const first = await lockDataFolder(folder)
  expect(first).toBeDefined()
  expect(await lockDataFolder(alias)).toBeUndefined()
  await first?.release()
  const second = await lockDataFolder(alias)
  expect(second).toBeDefined()
  await second?.release()
})

it('does not mind the locks of other folders', async () => {
  const locks = [await lockDataFolder(await temporaryFolder()), await lockDataFolder(await temporaryFolder())]
  expect(locks).not.toContain(undefined)
  await Promise.all(locks.map((lock) => lock?.release()))
})

it('is held against another process, and free as soon as that was killed', async () => {
  const folder = await temporaryFolder()
  const holder = runScript('lock-child.ts', folder)
  expect(await holder.firstLine).toBe('locked')
  expect(await lockDataFolder(folder)).toBeUndefined()
  await holder.kill()
  const lock = await lockDataFolder(folder)
  expect(lock).toBeDefined()
  await lock?.release()
})
