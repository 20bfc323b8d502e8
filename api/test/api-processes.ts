/** Real API processes, any number of them on one database and one WAV folder, and each to be killed. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { expect } from 'vitest'
import { createTestDatabase } from '../../test/support/database.ts'
import { eventually } from './eventually.ts'
import type { User } from './running-app.ts'

export interface ApiProcess {
  readonly port: number
  /** By kill -9; resolves when it has ended. */
  kill(): Promise<void>
}

export interface ApiProcesses {
  /** Resolves when it listens. */
  start(): Promise<ApiProcess>
  createUser(port: number): Promise<User>
  countRecords(): Promise<number>
  /** Idempotency keys of uploads that are under way. */
  heldKeys(): Promise<readonly string[]>
  /** Kills what still runs. */
  close(): Promise<void>
}

export async function openApiProcesses(): Promise<ApiProcesses> {
  const database = await createTestDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'wavemill-processes-'))
  const started: ApiProcess[] = []
  const env = {
    PATH: process.env.PATH,
    HOST: '127.0.0.1',
    PORT: '0',
    DATABASE_URL: database.url,
    DATA_DIR: folder,
    MIN_FREE_DISK_MB: '0',
    UPLOADS_PER_MINUTE: '0', // one that asks again and again
  }
  async function ask<Row extends object>(sql: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    const { rows } = await client.query<Row>(sql).finally(() => client.end())
    return rows
  }
  return {
    async start() {
      const child = await startProcess(env)
      started.push(child)
      return child
    },
    async createUser(port) {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"Ada"}' }
      let answer: Response | undefined
      await eventually(async () => {
        answer = await fetch(`http://127.0.0.1:${port}/user`, init)
        expect(answer.status).toBe(201) // a process that has just started may have too much to do
      })
      return (await answer?.json()) as User
    },
    async countRecords() {
      const [row] = await ask<{ records: number }>('SELECT count(*)::int AS records FROM record')
      return row?.records ?? 0
    },
    async heldKeys() {
      const rows = await ask<{ key: string }>('SELECT key FROM idempotency_key WHERE record_key IS NULL')
      return rows.map(({ key }) => key)
    },
    async close() {
      await Promise.all(started.map((child) => child.kill()))
      await database.drop()
      await rm(folder, { recursive: true })
    },
  }
}

async function startProcess(env: NodeJS.ProcessEnv): Promise<ApiProcess> {
  const child = fork(fileURLToPath(new URL('../src/main.ts', import.meta.url)), [], {
    execArgv: ['--conditions=source', '--import', 'tsx'],
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  const [message] = await Promise.race([
    once(child, 'message'),
    exited.then(([code]) => {
      throw new Error(`The process ended with ${code}`)
    }),
  ])
  return {
    port: message.port,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
