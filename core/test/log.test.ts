/** The log of a process whose stdout is a pipe. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const LINES = 5_000
const O_NONBLOCK = 0o4000
const source = fileURLToPath(new URL('../dist/log.js', import.meta.url))

/** Tells in which mode its stdout is after a first line, logs far more than a pipe holds, and exits. */
const program = `
  const { readFileSync } = await import('node:fs')
  const { createLog } = await import(${JSON.stringify(source)})
  const log = createLog('test', 'info')
  log.info({ line: 0 }, 'one of many')
  process.send(readFileSync('/proc/self/fdinfo/1', 'utf8'))
  for (let line = 1; line < ${LINES}; line += 1) log.info({ line }, 'one of many')
  process.exit(0)
`

test.skipIf(process.platform !== 'linux')(
  'a full pipe is waited for no longer than until it is read, and no line is lost when the process exits',
  async () => {
    const args = ['--input-type=module', '--eval', program]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    try {
      if (child.stdout === null) throw new Error('There is no pipe')
      const [fdinfo] = await once(child, 'message')
      const flags = Number.parseInt(/^flags:\s*(\d+)$/m.exec(fdinfo)?.[1] ?? '', 8)
      expect(flags & O_NONBLOCK).toBe(0)
      const lines = (await text(child.stdout)).trim().split('\n')
      expect(lines.map((line) => JSON.parse(line).line)).toEqual(
        Array.from({ length: LINES }, (_, line) => line),
      )
    } finally {
      child.kill('SIGKILL')
    }
  },
)
