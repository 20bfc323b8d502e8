/** Processes that die and come back, as under any supervisor: `npm start`'s own. */
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProgram } from '@wavemill/local/child-process'
import { startEmbeddedPostgres } from '@wavemill/local/embedded-postgres'
import { type Run, type Supervised, supervise } from '@wavemill/local/supervise'
import { freePort } from '../support/ports.ts'
import { startRedis } from '../support/redis.ts'
import { silentLog } from './silent-log.ts'

export interface Kept extends Supervised {
  readonly name: string
  /** Sends a signal to the process of now. */
  signal(signal: NodeJS.Signals): void
  /** Of the process of now; undefined while there is none. */
  pid(): number | undefined
}

type Numbered = Run & { readonly pid: number | undefined }

function keep(name: string, start: (giveUp: AbortSignal) => Promise<Numbered>): Kept {
  let run: Numbered | undefined
  async function begin(giveUp: AbortSignal): Promise<Numbered> {
    const begun = await start(giveUp)
    run = begun
    void begun.exited.then(() => {
      if (run === begun) run = undefined
    })
    return begun
  }
  const never = new AbortController().signal
  const supervised = supervise({ name, log: silentLog, signal: never, start: begin })
  return {
    ...supervised,
    name,
    pid: () => run?.pid,
    signal(signal) {
      if (run?.pid !== undefined) process.kill(run.pid, signal)
    },
  }
}

/** Its log goes to a file of its name. */
export function keepProgram(
  name: string,
  main: 'api' | 'worker',
  env: NodeJS.ProcessEnv,
  logs: string,
): Kept {
  const path = fileURLToPath(new URL(`../../${main}/dist/main.js`, import.meta.url))
  const logFd = openSync(join(logs, `${name}.log`), 'a')
  return keep(name, (giveUp) => startProgram({ path, env, stopWithinMs: 10_000, logFd }, giveUp))
}

export interface KeptServer extends Kept {
  url(): string
}

/** Its data and its log lie below `dataDir`. */
export function keepPostgres(dataDir: string): KeptServer {
  let last: { url: string; port: number } | undefined
  const kept = keep('PostgreSQL', async (signal) => {
    const port = last === undefined ? {} : { port: last.port }
    const server = await startEmbeddedPostgres({ dataDir, log: silentLog, signal, ...port })
    last = server
    return server
  })
  return { ...kept, url: () => urlOf(last) }
}

/** It keeps nothing on disk: when it dies, the whole queue is lost. */
export function keepRedis(): KeptServer {
  let last: { url: string; port: number } | undefined
  const kept = keep('Redis', async () => {
    const server = await startRedis(last?.port ?? (await freePort()))
    last = server
    return { ...server, exited: server.exited.then(String) }
  })
  process.once('exit', () => kept.signal('SIGKILL'))
  return { ...kept, url: () => urlOf(last) }
}

function urlOf(server: { url: string } | undefined): string {
  if (server === undefined) throw new Error('It was never started')
  return server.url
}
