/** CPU time from /proc, judged by processes that say themselves what they used. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { cpuSecondsOf, cpuSecondsOfChildren } from '../src/cpu-time.ts'

/** Works for 0.5 s of CPU time, whatever else runs on the machine, and prints what it used in all. */
const work = `
  while (process.cpuUsage().user < 500_000) for (let i = 0; i < 1e6; i += 1) Math.sqrt(i)
  const { user, system } = process.cpuUsage()
  console.log((user + system) / 1e6)
`
/** The same, in a child that has ended and been waited for when its own line comes. */
const parent = `
  const { execFileSync } = require('node:child_process')
  console.log(execFileSync(process.execPath, ['-e', ${JSON.stringify(work)}]).toString().trim())
  process.stdin.resume()
`

describe.skipIf(process.platform !== 'linux')('CPU time', () => {
  it('of a process tells its own from that of its children that have ended', async () => {
    const child = spawn(process.execPath, ['-e', parent], { stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    try {
      const [line] = await once(child.stdout, 'data')
      const used = Number(line.toString())
      const { own, ofChildren } = await cpuSecondsOf(Number(child.pid))
      expect(used).toBeGreaterThan(0.49)
      // Ticks of a hundredth of a second are cut off.
      expect(ofChildren).toBeGreaterThan(used - 0.05)
      expect(own).toBeGreaterThan(0)
      expect(own).toBeLessThan(ofChildren)
    } finally {
      child.stdin.end()
      await ended
    }
  })

  it('of the children that ended meanwhile leaves out what came before', async () => {
    const runOnce = async () => {
      const child = spawn(process.execPath, ['-e', work], { stdio: ['ignore', 'pipe', 'inherit'] })
      const ended = once(child, 'close')
      const [line] = await once(child.stdout, 'data')
      await ended
      return Number(line.toString())
    }
    const usedBefore = await runOnce()
    let used = 0
    const seconds = await cpuSecondsOfChildren(async () => {
      used = await runOnce()
    })
    expect(seconds).toBeGreaterThan(used - 0.05)
    expect(seconds).toBeLessThan(used + usedBefore)
    expect(await cpuSecondsOfChildren(async () => undefined)).toBe(0)
  })
})
