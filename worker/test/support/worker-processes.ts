/** Real worker processes for a test, forked as `npm start` does; none outlives the test. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Surroundings } from '../recordings.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface WorkerProcesses {
  /** Runs any file of the worker with the settings of one. */
  run(path: string, settings?: NodeJS.ProcessEnv): ChildProcess
  /** Resolves once it takes jobs. */
  startWorker(settings?: NodeJS.ProcessEnv): Promise<ChildProcess>
  /** A worker that is not waited for. */
  runWorker(settings?: NodeJS.ProcessEnv): ChildProcess
  /** Kills what still runs. */
  killAll(): Promise<void>
}

/** @param tmpDir where their temporary files go. */
export function createWorkerProcesses(
  { databaseUrl, wavStore }: Surroundings,
  tmpDir: string,
): WorkerProcesses {
  const processes: ChildProcess[] = []
  const usual = { DATABASE_URL: databaseUrl, REDIS_URL: '', WAV_DIR: wavStore.dir, LOG_LEVEL: 'info' }

  function run(path: string, settings: NodeJS.ProcessEnv = {}): ChildProcess {
    const child = fork(path, {
      execArgv: ['--conditions=source', '--import', 'tsx'],
      env: { ...process.env, ...usual, WORKER_CONCURRENCY: '2', TMPDIR: tmpDir, ...settings },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    processes.push(child)
    return child
  }

  return {
    run,
    runWorker: (settings) => run(main, settings),
    async startWorker(settings) {
      const child = run(main, settings)
      const [message] = await once(child, 'message')
      if (message !== 'ready') throw new Error(`The worker said ${message}`)
      return child
    },
    async killAll() {
      for (const child of processes.splice(0)) await end(child, 'SIGKILL')
    },
  }
}

/** Waits for its end. @returns the exit code, or the signal that ended it. */
export async function end(child: ChildProcess, signal?: NodeJS.Signals): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode
  const exit = once(child, 'exit')
  if (signal !== undefined) child.kill(signal)
  const [code, by] = await exit
  return code ?? by
}

/** What the segments that it takes call it. */
export function nameOf({ pid }: ChildProcess): string {
  return `${hostname()}:${pid}`
}
