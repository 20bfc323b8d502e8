/** Decides, before its body is read, whether the service has room for one more recording; and what a user may have. */
import { isDatabaseAway } from '@wavemill/prisma/database-away'
import type { Quota, QuotaExceeded } from '@wavemill/prisma/quota'
import { type WaitingLoad, waitingLoad } from '@wavemill/prisma/waiting-load'
import type { ApiSettings, AppParts } from './parts.ts'
import { outOfSpace, Problem } from './problem.ts'
import { remember } from './remember.ts'

/** How old a count of what waits may be: so many more may slip in. */
const MEMORY_MS = 500
const RETRY_AFTER = '30'

export interface Admission {
  /**
   * @param bytes that the upload announces; 0 where it announces none.
   * @throws Problem `queue-full` where too much waits, `out-of-space` where the disk is full and waiting helps nobody.
   */
  checkService(bytes: number): Promise<void>
}

export function createAdmission({ db, wavStore, settings }: AppParts): Admission {
  const load = remember(MEMORY_MS, (_service: 'all') => waitingLoad(db))
  /** While the database is away nothing is refused for it here: the next step that needs it says so better. */
  async function loadIfKnown(): Promise<WaitingLoad> {
    try {
      return await load('all')
    } catch (error) {
      if (isDatabaseAway(error)) return { recordings: 0, bytes: 0 }
      throw error
    }
  }

  return {
    async checkService(bytes) {
      const [waiting, freeBytes] = await Promise.all([loadIfKnown(), wavStore.freeBytes()])
      if (isFull(waiting, settings)) throw queueFull('Too many recordings wait already.')
      if (freeBytes - bytes >= settings.minFreeDiskBytes) return
      // What recordings that wait take up is free again when they are done.
      if (freeBytes + waiting.bytes - bytes < settings.minFreeDiskBytes) throw outOfSpace()
      throw queueFull('The disk is full of recordings that wait.')
    },
  }
}

function isFull(waiting: WaitingLoad, { maxWaiting, maxWaitingBytes }: ApiSettings): boolean {
  return waiting.recordings >= maxWaiting || waiting.bytes >= maxWaitingBytes
}

function queueFull(why: string): Problem {
  return new Problem('queue-full', `${why} Try again later.`, { headers: { 'retry-after': RETRY_AFTER } })
}

export function quotaOf(settings: ApiSettings): Quota {
  const { quotaRecordings: recordings, quotaWaiting: waiting, quotaBytes: bytes } = settings
  return { recordings, waiting, bytes }
}

/** Those that wait become fewer by themselves; of the others the user must delete some. */
export function quotaProblem({ what, limit }: QuotaExceeded): Problem {
  if (what === 'waiting') {
    const detail = `You have ${limit} recordings that wait, and no more may. Try again later.`
    return new Problem('too-many-waiting', detail, { headers: { 'retry-after': RETRY_AFTER } })
  }
  const most = what === 'bytes' ? `${limit / 1_048_576} MB` : `${limit} recordings`
  return new Problem('quota-exceeded', `You may have ${most}. Delete some, and there is room again.`)
}
