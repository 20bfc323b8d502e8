/** A disk that can be filled without harm: a tmpfs of its own, which only root can have. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'

const SIZE_MB = 160
const BLOCK = Buffer.alloc(1_048_576)

/** @returns whether a small disk is there now; where not, `folder` is an ordinary folder. */
export async function mountSmallDisk(folder: string): Promise<boolean> {
  await mkdir(folder)
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m`, 'wavemill', folder])
  if (status !== 0) return false
  process.once('exit', () => unmount(folder))
  return true
}

/** What still stands open on it goes when it is closed. */
export function unmount(folder: string): void {
  spawnSync('umount', ['--lazy', folder])
}

/** Leaves no byte free until it is undone. */
export async function fillDisk(folder: string): Promise<() => void> {
  const path = join(folder, 'filler')
  const file = await open(path, 'w')
  try {
    for (let size = BLOCK.length; size >= 4096; ) {
      await file.write(BLOCK, 0, size).catch(() => {
        size /= 2
      })
    }
  } finally {
    await file.close()
  }
  return () => rmSync(path)
}
