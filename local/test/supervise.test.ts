import { mkdtempSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '@wavemill/core/log'
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest'
import { startProgram } from '../src/child-process.ts'
import { type Supervised, supervise } from '../src/supervise.ts'

const log = createLog('test', 'silent')

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wavemill supervise '))
})
afterEach(() => rm(folder, { recursive: true }))

/** A real child that notes its number in `pids` before it does what `body` says. */
async function superviseChild(body: string, signal = new AbortController().signal): Promise<Supervised> {
  const path = join(folder, 'child.mjs')
  const note = `import { appendFileSync } from 'node:fs'; appendFileSync(${JSON.stringify(join(folder, 'pids'))}, process.pid + '\\n');`
  await writeFile(path, `${note}\nprocess.on('disconnect', () => process.exit());\n${body}\n`)
  const program = { path, env: process.env, stopWithinMs: 300 }
  const child = supervise({ name: 'A child', log, signal, start: (giveUp) => startProgram(program, giveUp) })
  onTestFinished(() => child.stop())
  return child
}

async function pids(): Promise<number[]> {
  const text = await readFile(join(folder, 'pids'), 'utf8').catch(() => '')
  return Array.from(text.matchAll(/^\d+$/gm), ([pid]) => Number(pid))
}

async function waitForPids(count: number): Promise<number[]> {
  for (;;) {
    const found = await pids()
    if (found.length >= count) return found
    await sleep(20)
  }
}

function isAlive(pid: number | undefined): boolean {
  try {
    return process.kill(pid ?? Number.NaN, 0)
  } catch {
    return false
  }
}

const works = "process.send('ready'); setInterval(() => {}, 1000)"

it('starts again what was killed, each time', async () => {
  const child = await superviseChild(works)
  await child.ready
  for (let deaths = 1; deaths <= 3; deaths += 1) {
    const found = await waitForPids(deaths)
    process.kill(found.at(-1) ?? 0, 'SIGKILL')
  }
  const found = await waitForPids(4)
  expect(found.map(isAlive)).toEqual([false, false, false, true])
})

it('starts nothing again after it was stopped', async () => {
  const child = await superviseChild(works)
  await child.ready
  await child.stop()
  const found = await pids()
  expect(found.map(isAlive)).toEqual([false])
})

it('kills what does not heed SIGTERM', async () => {
  const child = await superviseChild(`process.on('SIGTERM', () => {}); ${works}`)
  await child.ready
  await child.stop()
  expect((await pids()).map(isAlive)).toEqual([false])
})

it('rejects, and tries nothing again, where the first start fails', async () => {
  const child = await superviseChild('process.exit(3)')
  await expect(child.ready).rejects.toThrow('code 3')
  await child.stop()
  expect(await pids()).toHaveLength(1)
})

it('stops a first start that never becomes ready', async () => {
  const child = await superviseChild('setInterval(() => {}, 1000)')
  child.ready.catch(() => {})
  await waitForPids(1)
  await child.stop()
  await expect(child.ready).rejects.toThrow()
  expect((await pids()).map(isAlive)).toEqual([false])
})

it('stops also while what died does not become ready again', async () => {
  const flag = JSON.stringify(join(folder, 'started'))
  const once = `import { existsSync, writeFileSync } from 'node:fs'
    if (!existsSync(${flag})) { writeFileSync(${flag}, ''); process.send('ready') }
    setInterval(() => {}, 1000)`
  const child = await superviseChild(once)
  await child.ready
  const [first = 0] = await pids()
  process.kill(first, 'SIGKILL')
  await waitForPids(2)
  await child.stop()
  expect((await pids()).map(isAlive)).toEqual([false, false])
})

it('starts nothing again once the outer signal is aborted', async () => {
  const ending = new AbortController()
  const child = await superviseChild(works, ending.signal)
  await child.ready
  ending.abort()
  const [first = 0] = await pids()
  process.kill(first, 'SIGKILL')
  await child.stop()
  expect(await pids()).toHaveLength(1)
})
