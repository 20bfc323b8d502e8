import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLog } from '@wavemill/core/log'
import { openDatabase } from '@wavemill/prisma/database'
import { expect, it, onTestFinished } from 'vitest'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/embedded-postgres.ts'
import { temporaryFolder } from './support/folder.ts'
import { runScript } from './support/script-child.ts'

const log = createLog('test', 'silent')

async function start(dataDir: string, port?: number): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, log, ...(port !== undefined && { port }) })
  onTestFinished(() => server.stop())
  return server
}

async function query(url: string, sql: string): Promise<unknown[][]> {
  const db = openDatabase({ url, applicationName: 'test', log })
  try {
    const { rows } = await db.pool.query<unknown[]>({ text: sql, rowMode: 'array' })
    return rows
  } finally {
    await db.close()
  }
}

/** An orphan that has ended, and that nobody has waited for yet (Z), runs no more. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
  return !stat.includes(') Z')
}

const remember = (url: string) => query(url, 'CREATE TABLE remembered AS SELECT 42 AS answer')
const recall = (url: string) => query(url, 'SELECT answer FROM remembered')

it('keeps what was written through stop and start, at the same address', async () => {
  const dataDir = await temporaryFolder()
  const first = await start(dataDir)
  await remember(first.url)
  await first.stop()
  const second = await start(dataDir)
  expect(second.url).toBe(first.url)
  expect(await recall(second.url)).toEqual([[42]])
})

it('is reached on 127.0.0.1 only, with a password that only its owner can read, and syncs what it commits', async () => {
  const dataDir = await temporaryFolder()
  const { url, pid } = await start(dataDir)
  expect(await query(url, 'SHOW listen_addresses')).toEqual([['127.0.0.1']])
  expect(await query(url, 'SHOW fsync')).toEqual([['on']])
  for (const secret of ['postgres-password', 'database-url']) {
    expect((await stat(join(dataDir, secret))).mode & 0o777, secret).toBe(0o600)
  }
  const wrong = new URL(url)
  wrong.password = 'wrong'
  await expect(query(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
  expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(new URL(url).password)
})

it('stops a server that a killed process left running, and keeps its rows', async () => {
  const dataDir = await temporaryFolder()
  const killed = runScript('server-child.ts', dataDir)
  const leftover = Number(await killed.firstLine)
  await remember((await readFile(join(dataDir, 'database-url'), 'utf8')).trim())
  await killed.kill()
  expect(await isRunning(leftover)).toBe(true)

  const { url } = await start(dataDir)
  expect(await isRunning(leftover)).toBe(false)
  expect(await recall(url)).toEqual([[42]])
})

it('tells when it dies, and starts again on the same port with every row', async () => {
  const dataDir = await temporaryFolder()
  const first = await start(dataDir)
  await remember(first.url)
  process.kill(first.pid ?? 0, 'SIGKILL')
  expect(await first.exited).toBe('SIGKILL')
  const second = await start(dataDir, first.port)
  expect(await recall(second.url)).toEqual([[42]])
})

it('does not take a stranger that has the number of a dead server for that server', async () => {
  const dataDir = await temporaryFolder()
  const first = await start(dataDir)
  const lockFile = join(dataDir, 'postgres', 'postmaster.pid')
  const lines = (await readFile(lockFile, 'utf8')).split('\n')
  await first.stop()
  const stranger = spawn('sleep', ['600'])
  onTestFinished(() => void stranger.kill('SIGKILL'))
  await once(stranger, 'spawn')
  await writeFile(lockFile, [stranger.pid, ...lines.slice(1)].join('\n'))
  await start(dataDir)
  expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
})

it('makes the database anew where a crash cut the making short', async () => {
  const dataDir = await temporaryFolder()
  await mkdir(join(dataDir, 'postgres.new', 'base'), { recursive: true })
  await writeFile(join(dataDir, 'postgres.new', 'PG_VERSION'), '18\n')
  const { url } = await start(dataDir)
  expect(await query(url, 'SELECT 1')).toEqual([[1]])
})

it('says which file is missing where the password is gone, and makes no other', async () => {
  const dataDir = await temporaryFolder()
  await (await start(dataDir)).stop()
  await rm(join(dataDir, 'postgres-password'))
  for (const _ of [1, 2]) {
    await expect(start(dataDir)).rejects.toThrow(join(dataDir, 'postgres-password'))
  }
})

it('tells what PostgreSQL printed where it cannot start', async () => {
  const dataDir = await temporaryFolder()
  await (await start(dataDir)).stop()
  await writeFile(join(dataDir, 'postgres', 'postgresql.conf'), 'no_such_setting = 1\n')
  await expect(start(dataDir)).rejects.toThrow('no_such_setting')
})

it('gives up a start, and leaves no server, when it is told to', async () => {
  const dataDir = await temporaryFolder()
  const giveUp = startEmbeddedPostgres({ dataDir, log, signal: AbortSignal.abort() })
  await expect(giveUp).rejects.toThrow('aborted')
  await expect(stat(join(dataDir, 'postgres', 'postmaster.pid'))).rejects.toThrow('ENOENT')
})
