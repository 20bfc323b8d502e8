/** A whole Wavemill to be broken: two APIs, two workers, their own PostgreSQL behind a proxy, and their own Redis if wanted. */
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { migrateDatabase } from '@wavemill/prisma/migrate'
import { type CuttableProxy, startProxy } from '../support/cuttable-proxy.ts'
import { freePort } from '../support/ports.ts'
import { type Kept, type KeptServer, keepPostgres, keepProgram, keepRedis } from './kept.ts'
import { SEGMENT_SECONDS } from './recordings.ts'
import { silentLog } from './silent-log.ts'
import { mountSmallDisk, unmount } from './small-disk.ts'

/** SEGMENT_LOCK_SECONDS: with the usual ten, a round would take much longer. */
export const LOCK_SECONDS = 3
export const SEGMENT_ATTEMPTS = 3

export type QueueKind = 'postgres' | 'redis'

export interface Api extends Kept {
  readonly baseUrl: string
}

export interface Fleet {
  readonly apis: readonly [Api, Api]
  readonly workers: readonly [Kept, Kept]
  /** Around the proxy: for those who judge. */
  readonly postgres: KeptServer
  readonly redis: KeptServer | undefined
  /** Between the fleet and its database. */
  readonly proxy: CuttableProxy
  readonly wavDir: string
  /** Whether the WAV store is a disk that may be filled. */
  readonly hasSmallDisk: boolean
  /** Process ids of every ffmpeg that one of our workers has started, also where that worker is dead. */
  ffmpegs(): Promise<number[]>
  stop(): Promise<void>
}

/** @param folder an empty one, for logs, the database and the WAVs. */
export async function startFleet(folder: string, queue: QueueKind): Promise<Fleet> {
  const wavDir = join(folder, 'wav')
  const closers: (() => unknown)[] = []
  async function stop(): Promise<void> {
    for (const close of closers.toReversed()) await close()
  }
  try {
    const hasSmallDisk = await mountSmallDisk(wavDir)
    if (hasSmallDisk) closers.push(() => unmount(wavDir))
    const postgres = keepPostgres(join(folder, 'data'))
    closers.push(postgres.stop)
    const redis = queue === 'redis' ? keepRedis() : undefined
    if (redis !== undefined) closers.push(redis.stop)
    await Promise.all([postgres.ready, redis?.ready])
    await migrateDatabase(postgres.url(), silentLog)
    const proxy = await startProxy(postgres.url())
    closers.push(proxy.stop)

    const env = environment({ wavDir, databaseUrl: proxy.url, redisUrl: redis?.url() ?? '' })
    await mkdir(join(folder, 'logs'))
    const worker = (name: string) => keepProgram(name, 'worker', env, join(folder, 'logs'))
    const api = async (name: string): Promise<Api> => {
      const port = String(await freePort())
      const kept = keepProgram(name, 'api', { ...env, PORT: port }, join(folder, 'logs'))
      return { ...kept, baseUrl: `http://127.0.0.1:${port}` }
    }
    const workers = [worker('worker-1'), worker('worker-2')] as const
    const apis = [await api('api-1'), await api('api-2')] as const
    const programs = [...workers, ...apis]
    closers.push(() => Promise.all(programs.map((program) => program.stop())))
    await Promise.all(programs.map((program) => program.ready))
    const ffmpegs = () => findFfmpegs(wavDir)
    return { apis, workers, postgres, redis, proxy, wavDir, hasSmallDisk, ffmpegs, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

interface Places {
  readonly wavDir: string
  readonly databaseUrl: string
  readonly redisUrl: string
}

function environment({ wavDir, databaseUrl, redisUrl }: Places): NodeJS.ProcessEnv {
  const places = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, WAV_DIR: wavDir, PUBLIC_URL: '' }
  return {
    ...process.env,
    ...places,
    HOST: '127.0.0.1',
    MIN_FREE_DISK_MB: '0',
    SEGMENT_SECONDS: String(SEGMENT_SECONDS),
    SEGMENT_ATTEMPTS: String(SEGMENT_ATTEMPTS),
    SEGMENT_LOCK_SECONDS: String(LOCK_SECONDS),
    WORKER_CONCURRENCY: '2',
    LOG_LEVEL: 'info',
    NEW_USERS_PER_MINUTE: '0',
    UPLOADS_PER_MINUTE: '0',
    UPLOADS_AT_ONCE: '0',
    FFMPEG_PATH: '',
  }
}

/** By their name, and the environment that they have from their worker: one that is an orphan has no other mark. */
async function findFfmpegs(wavDir: string): Promise<number[]> {
  const found: number[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
    if (name !== 'ffmpeg\n') continue
    const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    if (environ.includes(`WAV_DIR=${wavDir}`)) found.push(Number(pid))
  }
  return found
}
