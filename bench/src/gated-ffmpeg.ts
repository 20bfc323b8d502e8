/** An ffmpeg that waits at a gate before it encodes: so that a recording is ready when a measurement wants it to be. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface GatedFfmpeg {
  /** For `FFMPEG_PATH`. */
  readonly path: string
  close(): Promise<void>
  open(): Promise<void>
}

/** @param folder for the script and its gate, which is open at first. */
export async function gateFfmpeg(folder: string): Promise<GatedFfmpeg> {
  const gate = join(folder, 'gate')
  const path = join(folder, 'gated-ffmpeg')
  // Only where it encodes: the worker also asks it what it can do.
  const script = [
    '#!/bin/sh',
    `case "$*" in *write_xing*) until [ "$(cat '${gate}')" = open ]; do sleep 0.02; done;; esac`,
    'exec ffmpeg "$@"',
  ]
  await writeFile(path, `${script.join('\n')}\n`, { mode: 0o755 })
  const set = (state: 'open' | 'closed') => writeFile(gate, state)
  await set('open')
  return { path, open: () => set('open'), close: () => set('closed') }
}
