/** `npm run test:faults -- [--rounds N] [--seed S] [--from R] [--queue postgres|redis] [--only NAME ...]`: breaks whatever can break, and judges. */
import { parseArgs } from 'node:util'
import { pathOf } from '../support/requirement.ts'
import { faultKinds } from './faults.ts'
import type { QueueKind } from './fleet.ts'
import { runSuite } from './suite.ts'
import { summarize } from './tell.ts'

/** @throws Error about the first mistake. */
function parseCommandLine(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
      from: { type: 'string', default: '1' },
      queue: { type: 'string' },
      only: { type: 'string', multiple: true },
    },
  })
  const { queue, only } = values
  const unknown = only?.find((wanted) => !faultKinds.some(({ name }) => name === wanted))
  if (unknown !== undefined) {
    throw new Error(
      `No fault is called "${unknown}". There are: ${faultKinds.map(({ name }) => name).join(', ')}`,
    )
  }
  if (queue !== undefined && queue !== 'postgres' && queue !== 'redis') {
    throw new Error('--queue must be postgres or redis')
  }
  return {
    rounds: wholeNumber('rounds', values.rounds),
    seed: wholeNumber('seed', values.seed),
    from: wholeNumber('from', values.from),
    only,
    queues: queue === undefined ? (['postgres', 'redis'] as const) : ([queue] as const),
  }
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text) && (name === 'seed' || Number(text) > 0)) return Number(text)
  throw new Error(`--${name} must be a whole number, not "${text}"`)
}

async function main(): Promise<boolean> {
  const { queues, ...options } = parseCommandLine(process.argv.slice(2))
  let isGood = true
  for (const queue of queues.filter(isThere)) {
    const results = await runSuite({ ...options, queue, tell: console.log })
    const { late, table } = summarize(results)
    console.log(`${table}\n${late} later than their bar`)
    isGood &&= late === 0
  }
  return isGood
}

function isThere(queue: QueueKind): boolean {
  if (queue === 'postgres' || pathOf('redis-server') !== undefined) return true
  console.log('SKIPPED: the queue in Redis needs redis-server, which is not installed')
  return false
}

// An exit, unlike a signal's default, ends what was started.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
