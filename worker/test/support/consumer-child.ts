/** A worker process of the tests: says on stdout what its jobs go through, closes on SIGTERM, and is left to end by itself. */
import { createLog } from '@wavemill/core/log'
import { consumeSegments } from '../../src/consume.ts'
import { stopReason } from './jobs.ts'

const { endless, ...options } = JSON.parse(process.argv[2] ?? '{}')
const say = (line: string) => process.stdout.write(`${line}\n`)

const consumer = consumeSegments({
  ...options,
  concurrency: 1,
  log: createLog('child', 'silent'),
  async onJob(job, signal) {
    say(`started ${job.recordKey}/${job.seq}`)
    say(`stopped ${await stopReason(signal)}`)
    if (endless) await new Promise(() => {})
  },
})

process.once('SIGTERM', async () => {
  const cut = await consumer.close(1_000)
  say(`closed ${cut.length}`)
})
