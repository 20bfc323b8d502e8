/** Shell scripts that stand in for ffmpeg, and a look at which processes are alive. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ScriptFolder {
  readonly dir: string
  /** Writes an executable `sh` script and gives its path. `$DIR` in it is the folder. */
  script(body: string): Promise<string>
  /** Waits until a script has written a file of that name, and gives the number in it. */
  numberIn(name: string): Promise<number>
  remove(): Promise<void>
}

export async function createScriptFolder(): Promise<ScriptFolder> {
  const dir = await mkdtemp(join(tmpdir(), 'wavemill-ffmpeg-'))
  let scripts = 0
  return {
    dir,
    async script(body) {
      scripts += 1
      const path = join(dir, `ffmpeg-${scripts}`)
      await writeFile(path, `#!/bin/sh\nDIR='${dir}'\n${body}\n`)
      await chmod(path, 0o755)
      return path
    },
    async numberIn(name) {
      for (;;) {
        const text = await readFile(join(dir, name), 'utf8').catch(() => '')
        if (/^\d+\n/.test(text)) return Number(text)
        await sleep(10)
      }
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  }
}

/** True while the process exists and is no zombie. */
export async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return status !== '' && !/\) Z /.test(status)
}

/** Resolves when the process is gone; the test's own time limit is the bound. */
export async function untilGone(pid: number): Promise<void> {
  while (await isAlive(pid)) await sleep(10)
}
