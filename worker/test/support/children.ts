/** Starts the tests' worker process, and reads what it says. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ConsumeOptions } from '../../src/consume.ts'
import { until } from './jobs.ts'

export interface ConsumerChild {
  readonly process: ChildProcess
  /** Resolves when it has said this line. */
  said(line: string): Promise<void>
  /** Resolves to its exit code, or to the signal that ended it. */
  readonly exited: Promise<number | string>
}

type ChildOptions = Pick<ConsumeOptions, 'databaseUrl' | 'redisUrl' | 'name' | 'lockMs' | 'stalledCheckMs'>

/** @param options.endless makes its jobs go on for ever after they were told to stop. */
export function startConsumerChild(options: ChildOptions & { endless?: boolean }): ConsumerChild {
  const file = fileURLToPath(new URL('consumer-child.ts', import.meta.url))
  const nodeOptions = ['--import', 'tsx', '--conditions=source']
  const child = spawn(process.execPath, [...nodeOptions, file, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  return {
    process: child,
    said: (line) => until(() => output.split('\n').includes(line)),
    exited: once(child, 'exit').then(([code, signal]) => code ?? signal),
  }
}
