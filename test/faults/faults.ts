/** The table of what can be broken. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { deliverTwice, flushRedis, reconcileBeside } from './beside.ts'
import { LOCK_SECONDS } from './fleet.ts'
import type { Random } from './random.ts'
import type { Site } from './site.ts'
import { fillDisk } from './small-disk.ts'
import { databaseAway, type Tolerance, unnoticed } from './tolerance.ts'

export interface FaultKind {
  readonly name: string
  readonly needs?: 'redis' | 'small-disk'
  /** For how long after its end the service may be disturbed. */
  readonly barMs: number
  readonly tolerance: Tolerance
  /** Resolves at the fault's end; for what is killed that is the moment of the kill. */
  strike(site: Site, random: Random): Promise<void>
}

export const faultKinds: readonly FaultKind[] = [
  {
    name: 'kill -9 an API',
    barMs: 20_000,
    tolerance: { refusals: [], broken: 'anything' },
    strike: async ({ fleet }, random) => random.pick(fleet.apis).signal('SIGKILL'),
  },
  {
    name: 'kill -9 a worker',
    barMs: 20_000,
    tolerance: unnoticed,
    strike: async ({ fleet }, random) => random.pick(fleet.workers).signal('SIGKILL'),
  },
  { name: 'kill -9 ffmpeg', barMs: 20_000, tolerance: unnoticed, strike: killFfmpegs },
  {
    name: 'kill -9 PostgreSQL',
    barMs: 30_000,
    tolerance: databaseAway,
    strike: async ({ fleet }) => fleet.postgres.signal('SIGKILL'),
  },
  {
    name: 'kill -9 Redis',
    needs: 'redis',
    barMs: 30_000,
    tolerance: unnoticed,
    strike: async ({ fleet }) => fleet.redis?.signal('SIGKILL'),
  },
  { name: 'FLUSHALL', needs: 'redis', barMs: 30_000, tolerance: unnoticed, strike: flushRedis },
  { name: 'stop a worker', barMs: 30_000, tolerance: unnoticed, strike: stopWorker },
  { name: 'cut the database', barMs: 30_000, tolerance: databaseAway, strike: cutDatabase },
  { name: 'silence the database', barMs: 30_000, tolerance: databaseAway, strike: silenceDatabase },
  { name: 'slow the database', barMs: 30_000, tolerance: databaseAway, strike: slowDatabase },
  {
    name: 'fill the disk',
    needs: 'small-disk',
    barMs: 20_000,
    tolerance: { refusals: [503, 507], broken: 'nothing' }, // 503: it is recordings that wait which fill it
    strike: fillWavStore,
  },
  { name: 'take a WAV away', barMs: 20_000, tolerance: unnoticed, strike: robWav },
  { name: 'deliver twice', barMs: 20_000, tolerance: unnoticed, strike: deliverTwice },
  { name: 'a second reconciler', barMs: 20_000, tolerance: unnoticed, strike: reconcileBeside },
]

async function killFfmpegs({ fleet }: Site, random: Random): Promise<void> {
  let left = random.between(1, 4)
  for (let tries = 0; left > 0 && tries < 200; tries += 1) {
    const [pid] = await fleet.ffmpegs()
    if (pid !== undefined) {
      left -= 1
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        left += 1 // it has just ended by itself
      }
    }
    await sleep(20)
  }
}

/** For longer than its lock, so that another one takes its segments meanwhile. */
async function stopWorker({ fleet }: Site, random: Random): Promise<void> {
  const worker = random.pick(fleet.workers)
  worker.signal('SIGSTOP')
  await sleep(LOCK_SECONDS * 1000 * 1.5 + random.between(0, 3_000))
  worker.signal('SIGCONT')
}

async function cutDatabase({ fleet }: Site, random: Random): Promise<void> {
  await fleet.proxy.cut()
  await sleep(random.between(50, 5_000))
  await fleet.proxy.restore()
}

async function silenceDatabase({ fleet }: Site, random: Random): Promise<void> {
  fleet.proxy.silence()
  await sleep(random.between(500, 7_000))
  await fleet.proxy.restore()
}

async function slowDatabase({ fleet }: Site, random: Random): Promise<void> {
  fleet.proxy.slow(500)
  await sleep(random.between(3_000, 8_000))
  await fleet.proxy.restore()
}

async function fillWavStore({ fleet }: Site, random: Random): Promise<void> {
  const empty = await fillDisk(fleet.wavDir)
  await sleep(random.between(1_000, 4_000))
  empty()
}

/** Of a recording that has several segments left, so that it is missed. */
async function robWav({ fleet, db, ledger }: Site): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const segments = await db.prisma.segment.findMany({
      where: { doneAt: null, seq: { gte: 1 }, record: { status: { in: ['queued', 'processing'] } } },
      select: { record: { select: { key: true, id: true } } },
      orderBy: [{ round: 'desc' }, { recordKey: 'desc' }],
      take: 1,
    })
    const record = segments[0]?.record
    if (record !== undefined) {
      ledger.robbed.add(record.id)
      await rm(join(fleet.wavDir, `${record.key}.wav`), { force: true })
      return
    }
    await sleep(20)
  }
}
