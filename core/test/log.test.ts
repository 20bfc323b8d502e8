/** The log of a process whose stdout is read late. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const LINES = 5_000
const source = fileURLToPath(new URL('../dist/log.js', import.meta.url))

/** Logs far more than a pipe holds, tells its parent that it is through with that, and ends when it is let go. */
const program = `
  const { createLog } = await import(${JSON.stringify(source)})
  const log = createLog('test', 'info')
  for (let line = 0; line < ${LINES}; line += 1) log.info({ line }, 'one of many')
  process.once('message', () => process.exit(0))
  process.send('logged')
`

test('a process does not wait for whoever reads its log, and no line is lost when it exits', async () => {
  const args = ['--input-type=module', '--eval', program]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  try {
    expect(await once(child, 'message')).toContain('logged') // nothing was read so far
    child.send('end')
    const lines = (await text(child.stdout ?? [])).trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).line)).toEqual(
      Array.from({ length: LINES }, (_, line) => line),
    )
  } finally {
    child.kill('SIGKILL')
  }
})
