/** Second names of WAVs: what the service removes meanwhile stays for a backup that is still to read it, and takes no room twice. */
import { createReadStream } from 'node:fs'
import { link, mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { WavStore } from './wav-store.ts'

// A folder, which the store's own listing does not see.
const FOLDER = '.backup'

export interface WavLinks {
  /** Links those that are not linked yet. @returns those of which there is no WAV. */
  add(keys: readonly bigint[]): Promise<bigint[]>
  size(key: bigint): Promise<number>
  open(key: bigint): Readable
  /** Lets the file go. */
  remove(key: bigint): Promise<void>
  /** Removes all that are left. */
  close(): Promise<void>
}

/** One at a time for a store: what an earlier one left, which was killed, is removed. */
export async function createWavLinks(wavStore: WavStore): Promise<WavLinks> {
  const folder = join(wavStore.dir, FOLDER)
  const linkOf = (key: bigint) => join(folder, `${key}.wav`)
  const close = () => rm(folder, { recursive: true, force: true })
  await close()
  await mkdir(folder, { mode: 0o700 })
  return {
    async add(keys) {
      const missing: bigint[] = []
      for (const key of keys) if (!(await linkIfThere(wavStore.pathOf(key), linkOf(key)))) missing.push(key)
      return missing
    },
    size: async (key) => (await stat(linkOf(key))).size,
    open: (key) => createReadStream(linkOf(key), { highWaterMark: 256 * 1024 }),
    remove: (key) => rm(linkOf(key), { force: true }),
    close,
  }
}

/** @returns false if there is no such file. */
async function linkIfThere(path: string, name: string): Promise<boolean> {
  try {
    await link(path, name)
    return true
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST') return true
    if (code === 'ENOENT') return false
    throw new Error('The file system of WAV_DIR makes no hard links, which a backup needs', { cause: error })
  }
}
