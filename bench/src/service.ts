/** Runs Wavemill as a user does, with `npm start`'s own entry, and tells when it is ready; for the benchmarks and the e2e tests. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { hasEnded, spawnInSession } from './session.ts'

/** The repository's root; `src` and `dist` lie equally deep below it. */
export const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url))

const READY_TIMEOUT_MS = 180_000
const STOP_TIMEOUT_MS = 60_000
const KEPT_OUTPUT_CHARACTERS = 20_000

export interface ServiceOptions {
  readonly dataDir: string
  /** Settings beside PORT, HOST and DATA_DIR. Those of the caller's own shell do not reach the service. */
  readonly settings?: Readonly<Record<string, string>>
  /** What to run in `cwd`; default: the entry behind `npm start`, in this repository. */
  readonly command?: readonly [string, ...string[]]
  readonly cwd?: string
}

export interface Service {
  /** `http://127.0.0.1:<port>`, without a trailing slash. */
  readonly baseUrl: string
  /** Of the supervisor; api, worker and database are its descendants. It leads a process group of its own. */
  readonly pid: number
  /** From the spawn to the first 200 of `/health/ready`. */
  readonly readyAfterMs: number
  /** The last of what it printed. */
  output(): string
  /** Sends SIGTERM and waits for the end. @throws if it does not end within a minute, after killing its group. */
  stop(): Promise<void>
}

/**
 * Starts the service on a free port of 127.0.0.1, in a session of its own, and waits until it is ready.
 *
 * @throws if it ends or stays unready; the message holds what it printed.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const port = await freePort()
  const [file, ...args] = options.command ?? [process.execPath, 'local/run.mjs', 'start']
  const startedAt = performance.now()
  const child = spawnInSession(file, args, {
    cwd: options.cwd ?? repositoryRoot,
    env: serviceEnvironment({ ...options.settings, PORT: String(port), DATA_DIR: options.dataDir }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-KEPT_OUTPUT_CHARACTERS)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  await once(child, 'spawn')
  const pid = child.pid
  if (pid === undefined) throw new Error('The service has no process id')

  const baseUrl = `http://127.0.0.1:${port}`
  try {
    await waitUntilReady(baseUrl, child)
  } catch (error) {
    await stopGroup(pid).catch(() => undefined)
    throw new Error(`The service did not become ready. It printed:\n${output}`, { cause: error })
  }
  return {
    baseUrl,
    pid,
    readyAfterMs: performance.now() - startedAt,
    output: () => output,
    stop: () => stopGroup(pid),
  }
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('No port was given')
  return address.port
}

/** Empty values count as not set, and win over `.env`: a developer's own database or queue is never touched. */
function serviceEnvironment(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const blank = { DATABASE_URL: '', REDIS_URL: '', PUBLIC_URL: '', WAV_DIR: '', ADMIN_PASSWORD: '' }
  return { ...process.env, ...blank, HOST: '127.0.0.1', ...settings }
}

async function waitUntilReady(baseUrl: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS
  while (performance.now() < deadline) {
    if (hasEnded(child)) throw new Error(`It ended with ${child.exitCode ?? child.signalCode}`)
    const answer = await fetch(`${baseUrl}/health/ready`, { signal: AbortSignal.timeout(5_000) }).catch(
      () => undefined,
    )
    await answer?.body?.cancel()
    if (answer?.status === 200) return
    await sleep(50)
  }
  throw new Error(`It was not ready after ${READY_TIMEOUT_MS / 1000} s`)
}

/** As a terminal's Ctrl-C does: the signal goes to the whole group. npm ends sooner than what it runs, so all are waited for. */
async function stopGroup(groupId: number): Promise<void> {
  const deadline = performance.now() + STOP_TIMEOUT_MS
  signalGroup(groupId, 'SIGTERM')
  while (signalGroup(groupId, 0)) {
    if (performance.now() > deadline) {
      signalGroup(groupId, 'SIGKILL')
      throw new Error(`The service did not end within ${STOP_TIMEOUT_MS / 1000} s of SIGTERM and was killed`)
    }
    await sleep(20)
  }
}

/** @returns false if the group has no process any more. */
function signalGroup(groupId: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-groupId, signal)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}
