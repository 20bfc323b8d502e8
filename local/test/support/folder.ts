/** A temporary folder of one test, with a space in its name. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** It is removed when the test has finished. */
export async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'wavemill local '))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}
