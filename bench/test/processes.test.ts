/** Finding a process below another, and its memory, judged by processes whose shape and appetite are known. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findDescendant, residentMb, watchPeakMb } from '../src/processes.ts'

const hungry = `
  process.stdin.once('data', () => { Buffer.alloc(200 * 1024 * 1024, 1); console.log('eaten') })
`
const parent = `
  const { spawn } = require('node:child_process')
  spawn(process.execPath, ['-e', ${JSON.stringify(hungry)}, 'the-hungry-one'], { stdio: 'inherit' })
`

describe.skipIf(process.platform !== 'linux')('processes', () => {
  let top: ChildProcess
  beforeEach(() => {
    top = spawn(process.execPath, ['-e', parent], { stdio: 'pipe', detached: true })
  })
  afterEach(async () => {
    const ended = once(top, 'exit')
    process.kill(-Number(top.pid), 'SIGKILL')
    await ended
  })

  it('finds the one process below another that runs a program, and what memory it has at its peak', async () => {
    const pid = await waitForPid(Number(top.pid))
    const idleMb = await residentMb(pid)
    const peak = await watchPeakMb(pid)
    top.stdin?.write('eat\n')
    await once(top.stdout ?? top, 'data')
    const peakMb = await peak.stop()
    expect(peakMb - idleMb).toBeGreaterThan(195)
    expect(peakMb - idleMb).toBeLessThan(260)
  })

  it('says how many it found when there is not exactly one', async () => {
    await expect(findDescendant(Number(top.pid), 'no-such-program')).rejects.toThrow(/^0 processes/)
  })
})

async function waitForPid(topPid: number): Promise<number> {
  for (;;) {
    const pid = await findDescendant(topPid, 'the-hungry-one').catch(() => undefined)
    if (pid !== undefined) return pid
  }
}
