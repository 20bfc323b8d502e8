/** The steady load: several clients at once that upload, cut uploads, look, download and delete, each by its own chance. */
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, NoAnswer } from './ask.ts'
import { askStatus, download, readJson, remove, type UploadWay, upload } from './client.ts'
import type { Entry } from './ledger.ts'
import type { Random } from './random.ts'
import type { Site } from './site.ts'
import { refusal, type Tolerance } from './tolerance.ts'

/** What one client does, over and over; it rejects with what no client should meet. */
type Step = (site: Site, random: Random, tolerance: Tolerance) => Promise<void>

const clients: readonly Step[] = [uploadSome, uploadSome, lookAtSome, deleteSome]

/** The service is never given more than this to do, or each round would wait for it. */
const MOST_WAITING = 5

export interface Load {
  /** Resolves when each client has ended what it was at. */
  stop(): Promise<void>
}

export function startLoad(site: Site, randomOf: (client: number) => Random, tolerance: Tolerance): Load {
  const stopping = new AbortController()
  async function run(step: Step, random: Random): Promise<void> {
    while (!stopping.signal.aborted) {
      await step(site, random, tolerance).catch((error) => {
        site.ledger.complaints.push(error instanceof Error ? error.message : String(error))
      })
      await sleep(random.between(20, 250))
    }
  }
  const running = clients.map((step, client) => run(step, randomOf(client)))
  return {
    async stop() {
      stopping.abort()
      await Promise.all(running)
    },
  }
}

async function uploadSome(site: Site, random: Random, tolerance: Tolerance): Promise<void> {
  if ((await readdir(site.fleet.wavDir)).length > MOST_WAITING) return
  const recording = random.pick(site.recordings)
  const isCut = random.between(1, 8) === 1
  const way: UploadWay = {
    as: random.pick(['form', 'raw']),
    ...(isCut && { cutAt: random.between(5, 99) / 100 }),
  }
  const user = random.pick(site.users)
  const answer = await answerOf(upload(random.pick(site.fleet.apis).baseUrl, user, recording, way), {
    what: 'An upload',
    statuses: [202],
    tolerance,
    mayBreak: () => isCut,
  })
  if (answer?.status === 202) site.ledger.add({ id: readJson<{ id: string }>(answer).id, user }, recording)
  else site.ledger.refused += 1
}

async function lookAtSome(site: Site, random: Random, tolerance: Tolerance): Promise<void> {
  const entry = pickEntry(site, random)
  if (entry === undefined) return
  const { baseUrl } = random.pick(site.fleet.apis)
  const looked = await answerOf(askStatus(baseUrl, entry), {
    what: 'A look',
    statuses: [200, 410],
    tolerance,
  })
  if (looked?.status === 410 && entry.deletion === 'none')
    throw new Error(`${entry.id} was never deleted, and is gone`)
  if (looked?.status !== 200 || readJson<{ status: string }>(looked).status !== 'ready') return
  const loaded = await answerOf(download(baseUrl, entry), {
    what: 'A download',
    statuses: [200, 410],
    tolerance,
    // Half a file must not look whole.
    mayBreak: () => tolerance.broken === 'downloads' || entry.deletion !== 'none',
  })
  if (loaded?.status !== 200) return
  const digest = createHash('sha256').update(loaded.body).digest('hex')
  if (digest === site.references.get(entry.recording.name)) return
  throw new Error(`A download of ${entry.id} ("${entry.recording.name}") was answered with another MP3`)
}

async function deleteSome(site: Site, random: Random, tolerance: Tolerance): Promise<void> {
  await sleep(random.between(100, 800))
  const entry = pickEntry(site, random)
  // What was robbed is left, so that its failure is seen.
  if (entry === undefined || entry.deletion === 'done' || site.ledger.robbed.has(entry.id)) return
  entry.deletion = 'asked'
  const answer = await answerOf(remove(random.pick(site.fleet.apis).baseUrl, entry), {
    what: 'A deletion',
    statuses: [204],
    tolerance,
  })
  if (answer?.status === 204) entry.deletion = 'done'
}

function pickEntry({ ledger }: Site, random: Random): Entry | undefined {
  return ledger.entries.length === 0 ? undefined : random.pick(ledger.entries)
}

interface Expectation {
  readonly what: string
  readonly statuses: readonly number[]
  readonly tolerance: Tolerance
  /** Whether there may be no whole answer, asked once there is none. */
  readonly mayBreak?: () => boolean
}

/** @returns undefined where there was none, and that may be. @throws Error about what may not be. */
async function answerOf(
  asked: Promise<Answer>,
  { what, statuses, tolerance, mayBreak = () => false }: Expectation,
): Promise<Answer | undefined> {
  try {
    const answer = await asked
    const wrong = refusal(answer, tolerance, statuses)
    if (wrong !== undefined) throw new Error(`${what} was answered with ${wrong}`)
    return answer
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    if (tolerance.broken === 'anything' || mayBreak()) return undefined
    throw new Error(`${what} got no answer: ${error.cause}`, { cause: error })
  }
}
