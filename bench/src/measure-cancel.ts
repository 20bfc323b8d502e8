/** Measures DELETE in the middle of a transcode on two workers: until no ffmpeg of it lives, and nothing of it is left. */
import { readdir } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '@wavemill/core/log'
import { openSegmentQueue } from '@wavemill/core/queue'
import pg from 'pg'
import { uploadRecording } from './client.ts'
import type { Effort } from './effort.ts'
import { type Figure, median, withUnit } from './figures.ts'
import { recordingOf } from './material.ts'
import { findDescendants } from './processes.ts'
import { type IdleService, withService } from './rivals.ts'
import { idOf } from './stored-mp3.ts'
import type { Workplace } from './workplace.ts'

const WORKERS = 2
const MINUTES = 60
const SEGMENT_SECONDS = 300
const LOOK_EVERY_MS = 10
const GIVE_UP_MS = 60_000
/** So long every ffmpeg has been at work, and has had chunks written. */
const AT_WORK_MS = 1_000

interface Round {
  /** From asking for the end to the moment at which it is seen, in ms. */
  readonly noFfmpegMs: number
  readonly nothingLeftMs: number
}

export function measureCancel(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const recording = recordingOf({ seconds: MINUTES * 60 * effort.share })
  const settings = {
    WORKERS: String(WORKERS),
    WORKER_CONCURRENCY: '1',
    SEGMENT_SECONDS: String(SEGMENT_SECONDS * effort.share),
  }
  return withService(workplace, settings, async (idle) => {
    const remains = openRemains(idle)
    try {
      const measured: Round[] = []
      const rounds = effort.rounds ?? 5
      for (let round = 1; round <= rounds; round += 1) {
        workplace.tell(`DELETE during a transcode on ${WORKERS} workers, round ${round} of ${rounds}`)
        const link = await uploadRecording(idle.service.baseUrl, idle.user, recording)
        await until(async () => (await ffmpegsOf(idle)).length === WORKERS)
        await sleep(AT_WORK_MS)
        measured.push(await cancel(idle, link, remains))
      }
      return [
        figureOf(
          'no ffmpeg of it lives',
          measured.map(({ noFfmpegMs }) => noFfmpegMs),
        ),
        figureOf(
          'no chunk, segment, file or job is left',
          measured.map(({ nothingLeftMs }) => nothingLeftMs),
        ),
      ]
    } finally {
      await remains.close()
    }
  })
}

async function cancel(idle: IdleService, link: string, remains: Remains): Promise<Round> {
  const askedAt = performance.now()
  const since = async (seen: () => Promise<boolean>) => {
    await until(seen)
    return performance.now() - askedAt
  }
  const [noFfmpegMs, nothingLeftMs] = await Promise.all([
    since(async () => (await ffmpegsOf(idle)).length === 0),
    since(async () => (await remains.count(idOf(link))) === 0),
    deleteRecording(link, idle.user.token),
  ])
  return { noFfmpegMs, nothingLeftMs }
}

function ffmpegsOf({ service }: IdleService): Promise<number[]> {
  return findDescendants(service.pid, 'libmp3lame')
}

interface Remains {
  /** Chunks and segments of a recording, and WAVs and jobs of any. */
  count(id: string): Promise<number>
  close(): Promise<void>
}

function openRemains({ databaseUrl, dataDir }: IdleService): Remains {
  const pool = new pg.Pool({ connectionString: databaseUrl })
  const queue = openSegmentQueue({ databaseUrl, redisUrl: undefined, log: createLog('bench', 'silent') })
  queue.catch(() => undefined) // whoever counts hears of it
  return {
    async count(id) {
      const { rows } = await pool.query<{ count: number }>(
        `SELECT ((SELECT count(*) FROM chunk WHERE record_key = key) +
                 (SELECT count(*) FROM segment WHERE record_key = key))::int AS count
         FROM record WHERE id = $1`,
        [id],
      )
      const { waiting, active, delayed, failed } = await (await queue).counts()
      const files = await readdir(join(dataDir, 'wav'))
      return (rows[0]?.count ?? 0) + waiting + active + delayed + failed + files.length
    },
    async close() {
      await (await queue).close()
      await pool.end()
    },
  }
}

function deleteRecording(link: string, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(link, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })
    outgoing.once('error', reject).end()
    outgoing.once('response', (incoming) => {
      incoming.resume()
      if (incoming.statusCode === 204) resolve()
      else reject(new Error(`DELETE was answered with ${incoming.statusCode}`))
    })
  })
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('What was waited for did not come')
    await sleep(LOOK_EVERY_MS)
  }
}

function figureOf(what: string, tookMs: readonly number[]): Figure {
  return {
    what: `DELETE during a transcode on ${WORKERS} workers: until ${what}`,
    detail: `rounds ${tookMs.map((ms) => withUnit(ms, 'ms')).join(', ')}`,
    value: median(tookMs) / 1000,
    unit: 's',
    bar: 1,
  }
}
