/**
 * Random sequences of what users do, against a simple model, on both backends of the queue. A failure is shrunk, and its seed
 * printed. `SEQUENCES=1000` runs so many on each, `SEQUENCE_SEED=n` those of a seed.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { startRedis } from '../../test/support/redis.ts'
import { missing } from '../../test/support/requirement.ts'
import { startApp } from './running-app.ts'
import { checkAll, type Model, sequences } from './sequence-model.ts'

const { SEQUENCES = '8', SEQUENCE_SEED } = process.env
const parameters = {
  numRuns: Number(SEQUENCES),
  ...(SEQUENCE_SEED !== undefined && { seed: Number(SEQUENCE_SEED) }),
}

async function runSequences(redisUrl: string | undefined): Promise<void> {
  const app = await startApp(redisUrl === undefined ? {} : { redisUrl })
  try {
    await fc.assert(
      fc.asyncProperty(sequences, async (commands) => {
        const model: Model = { users: [], records: [] }
        await fc.asyncModelRun(() => ({ model, real: app }), commands)
        await checkAll(model, app)
      }),
      parameters,
    )
    // Also of what nobody was there to hear.
    const failures = app
      .logs()
      .split('\n')
      .filter((line) => /"status":500|"level":50/.test(line))
    expect(failures).toEqual([])
  } finally {
    await app.stop()
  }
}

describe('whatever several users do, each is answered as if they did it one after another', {
  timeout: 86_400_000,
}, () => {
  it('with the queue in PostgreSQL', () => runSequences(undefined))

  it.skipIf(missing('redis-server'))('with the queue in Redis', async () => {
    const redis = await startRedis()
    try {
      await runSequences(redis.url)
    } finally {
      await redis.stop()
    }
  })
})
