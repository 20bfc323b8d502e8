/** Faults that come from a process beside the fleet: it empties Redis, adds jobs that are there already, and reconciles. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSegmentQueue, type SegmentQueue } from '@wavemill/core/queue'
import { startReconciler } from '../../worker/src/reconciler.ts'
import { SEGMENT_ATTEMPTS } from './fleet.ts'
import type { Random } from './random.ts'
import { silentLog } from './silent-log.ts'
import type { Site } from './site.ts'

export async function flushRedis({ fleet }: Site): Promise<void> {
  if (fleet.redis === undefined) return
  const socket = connect(Number(new URL(fleet.redis.url()).port), '127.0.0.1')
  socket.write('FLUSHALL\r\n')
  const [answer] = await once(socket, 'data')
  socket.destroy()
  if (!String(answer).startsWith('+OK')) throw new Error(`FLUSHALL was answered with ${answer}`)
}

/** Jobs of other ids for the segments that wait or run: BullMQ's own ids keep a job from being added twice. */
export async function deliverTwice(site: Site, random: Random): Promise<void> {
  await withQueue(site, async (queue) => {
    for (let times = random.between(1, 3); times > 0; times -= 1) {
      const segments = await site.db.prisma.segment.findMany({ where: { doneAt: null } })
      for (const { recordKey, seq } of segments) {
        const data = { recordKey: recordKey.toString(), seq }
        await queue.bull.add('segment', data, { jobId: `again-${times}-${recordKey}-${seq}` })
      }
      await sleep(random.between(100, 1_000))
    }
  })
}

/** It never rests, so that the lock of the reconcilers changes hands all the time. */
export async function reconcileBeside(site: Site, random: Random): Promise<void> {
  await withQueue(site, async (queue) => {
    const { db, wavStore, fleet } = site
    const tools = { db, wavStore, queue, log: silentLog, databaseUrl: fleet.postgres.url() }
    const worker = { workerName: 'beside', ffmpegPath: 'ffmpeg', segmentAttempts: SEGMENT_ATTEMPTS }
    const reconciler = startReconciler({ ...tools, ...worker }, 10)
    await sleep(random.between(2_000, 5_000))
    await reconciler.stop()
  })
}

async function withQueue({ fleet }: Site, work: (queue: SegmentQueue) => Promise<void>): Promise<void> {
  const redisUrl = fleet.redis?.url()
  const queue = await openSegmentQueue({ databaseUrl: fleet.postgres.url(), redisUrl, log: silentLog })
  await work(queue).finally(() => queue.close())
}
