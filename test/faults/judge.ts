/** The judge: after a round everything must add up, and every promise must have been kept. */
import { createHash } from 'node:crypto'
import { type BooksOptions, checkBooks } from '@wavemill/prisma/books'
import { askStatus, download, readJson, remove } from './client.ts'
import { SEGMENT_ATTEMPTS } from './fleet.ts'
import type { Entry } from './ledger.ts'
import type { Site } from './site.ts'

export interface Verdict {
  readonly ready: number
  readonly deleted: number
  /** With a reason that is true. */
  readonly failed: number
  /** One sentence for each thing that is wrong. */
  readonly wrong: readonly string[]
}

export async function judge(site: Site): Promise<Verdict> {
  const wrong = site.ledger.complaints.splice(0)
  const count = { ready: 0, deleted: 0, failed: 0 }
  for (const entry of site.ledger.entries) {
    try {
      count[await judgeEntry(site, entry)] += 1
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      wrong.push(`record ${entry.id} ("${entry.recording.name}"): ${reason}`)
    }
  }
  const options: BooksOptions = { segmentAttempts: SEGMENT_ATTEMPTS, settleMs: 11_000 }
  for (const fault of await checkBooks(site.db, site.wavStore, options)) {
    wrong.push(`books: ${fault.kind} ${fault.recordKey ?? fault.file}: ${fault.detail}`)
  }
  return { ...count, wrong }
}

async function judgeEntry(site: Site, entry: Entry): Promise<'ready' | 'deleted' | 'failed'> {
  const [{ baseUrl }] = site.fleet.apis
  const answer = await askStatus(baseUrl, entry)
  if (answer.status === 410 && entry.deletion !== 'none') return 'deleted'
  if (answer.status !== 200) throw new Error(`its status is answered with ${answer.status} ${answer.body}`)
  if (entry.deletion === 'done') throw new Error('it was deleted, and is there')
  const { status, failure } = readJson<{ status: string; failure: { code: string } | null }>(answer)
  if (status === 'failed' && failure?.code === 'source-lost' && site.ledger.robbed.has(entry.id)) {
    return 'failed'
  }
  if (status !== 'ready') throw new Error(`it is ${status} ${JSON.stringify(failure)}`)
  const mp3 = await download(baseUrl, entry)
  if (mp3.status !== 200) throw new Error(`its link is answered with ${mp3.status} ${mp3.body}`)
  const digest = createHash('sha256').update(mp3.body).digest('hex')
  if (digest !== site.references.get(entry.recording.name)) {
    throw new Error(`its MP3 of ${mp3.body.length} bytes is another one than a calm service makes`)
  }
  return 'ready'
}

/** Deletes what was judged, all but the last, so that the books of a long run stay short. */
export async function clear(site: Site): Promise<string[]> {
  const [, { baseUrl }] = site.fleet.apis
  const wrong: string[] = []
  for (const entry of site.ledger.entries.slice(0, -1)) {
    const removed = await remove(baseUrl, entry)
    const left = await askStatus(baseUrl, entry)
    if (removed.status !== 204 || left.status !== 410) {
      wrong.push(
        `record ${entry.id}: its deletion was answered with ${removed.status}, then it is ${left.status}`,
      )
    }
    site.ledger.remove(entry)
  }
  return wrong
}
