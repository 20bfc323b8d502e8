/** The short form of the fault suite; `npm run test:faults` is the long one. */
import { describe, expect, it } from 'vitest'
import { missing } from '../support/requirement.ts'
import { faultKinds } from './faults.ts'
import type { QueueKind } from './fleet.ts'
import { faultOfRound } from './round.ts'
import { runSuite } from './suite.ts'

const SEED = 2026
const TIMEOUT_MS = 300_000

it('gives a round of a seed the same fault each time, and each kind once before any comes again', () => {
  const faults = (seed: number) =>
    faultKinds.map((_, index) => faultOfRound({ seed, number: index + 1 }, faultKinds).name)
  expect(faults(SEED)).toEqual(faults(SEED))
  expect(faults(SEED)).not.toEqual(faults(SEED + 1))
  expect(faults(SEED).toSorted()).toEqual(faultKinds.map(({ name }) => name).toSorted())
})

/** The faults that tell the most, each on the backend where it is the harder one. */
const shortForm: Readonly<Record<QueueKind, readonly string[]>> = {
  postgres: ['kill -9 PostgreSQL', 'kill -9 a worker', 'cut the database', 'fill the disk', 'deliver twice'],
  redis: [
    'kill -9 Redis',
    'FLUSHALL',
    'kill -9 an API',
    'stop a worker',
    'kill -9 ffmpeg',
    'take a WAV away',
  ],
}

describe.each(['postgres', 'redis'] as const)('with the queue in %s', (queue) => {
  it.skipIf(queue === 'redis' && missing('redis-server'))(
    'nothing that was accepted is lost or wrong, whatever dies',
    async () => {
      const only = shortForm[queue]
      const rounds = only.length
      const results = await runSuite({ queue, only, rounds, seed: SEED, from: 1, tell: console.info })
      expect(results).toHaveLength(rounds)
    },
    TIMEOUT_MS,
  )
})
