/** The fault suite: a fleet, a calm reference, then round after round until something is wrong or all are through. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWavStore } from '@wavemill/core/wav-store'
import { openDatabase } from '@wavemill/prisma/database'
import { createUser, download, readJson, upload } from './client.ts'
import { type Fleet, type QueueKind, startFleet } from './fleet.ts'
import { createLedger } from './ledger.ts'
import { findLeftovers } from './leftovers.ts'
import { makeRecordings } from './recordings.ts'
import { untilQuiet } from './recovery.ts'
import { faultOfRound, possibleFaults, type RoundResult, runRound } from './round.ts'
import { silentLog } from './silent-log.ts'
import type { Site } from './site.ts'
import { describeRound, missingFaults } from './tell.ts'

export interface SuiteOptions {
  readonly queue: QueueKind
  readonly seed: number
  /** The number of the first round, from 1. */
  readonly from: number
  readonly rounds: number
  /** Names of the faults to choose from; without it all. */
  readonly only?: readonly string[] | undefined
  /** Is given a line after each round. */
  readonly tell: (line: string) => void
}

/**
 * @returns what each round measured.
 * @throws Error at the first round in which something is wrong; it says what, how to repeat it, and where the logs are.
 */
export async function runSuite(options: SuiteOptions): Promise<readonly RoundResult[]> {
  const folder = await mkdtemp(join(tmpdir(), 'wavemill-faults-'))
  let results: readonly RoundResult[]
  try {
    const fleet = await startFleet(folder, options.queue)
    results = await runRounds(fleet, options).finally(() => fleet.stop())
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${reason}\nLogs and database are in ${folder}`, { cause: error })
  }
  await rm(folder, { recursive: true, force: true })
  return results
}

async function runRounds(fleet: Fleet, options: SuiteOptions): Promise<readonly RoundResult[]> {
  const { queue, seed, from, rounds, only, tell } = options
  const db = openDatabase({ url: fleet.postgres.url(), applicationName: 'faults', log: silentLog })
  const results: RoundResult[] = []
  try {
    const site = await makeSite(fleet, db)
    const possible = possibleFaults(fleet).filter(({ name }) => only?.includes(name) ?? true)
    for (const line of missingFaults(possible, queue, only)) tell(line)
    for (let number = from; number < from + rounds; number += 1) {
      const fault = faultOfRound({ seed, number }, possible)
      const where = `queue ${queue}, seed ${seed}, round ${number}, ${fault.name}`
      const result = await runRound(site, { seed, number }, fault).catch((cause) => {
        throw failure(where, [cause instanceof Error ? describeChain(cause) : String(cause)], cause)
      })
      tell(describeRound(where, result))
      if (result.wrong.length > 0) throw failure(where, result.wrong)
      results.push(result)
    }
    const leftovers = await findLeftovers(site)
    if (leftovers.length > 0) throw failure(`queue ${queue}, seed ${seed}, after the last round`, leftovers)
    return results
  } finally {
    await db.close()
  }
}

function failure(where: string, wrong: readonly string[], cause?: unknown): Error {
  return new Error([`${where}:`, ...wrong].join('\n  '), { cause })
}

function describeChain(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${describeChain(error.cause)}` : error.message
}

/** Before anything is broken each recording is made once, and held against what plain ffmpeg makes of it. */
async function makeSite(fleet: Fleet, db: Site['db']): Promise<Site> {
  const [{ baseUrl }] = fleet.apis
  const users = await Promise.all(['Ada', 'Bob', 'Eve'].map((name) => createUser(baseUrl, name)))
  const references = new Map<string, string>()
  const recordings = makeRecordings()
  const wavStore = await createWavStore(fleet.wavDir)
  const site: Site = { fleet, db, wavStore, ledger: createLedger(), users, recordings, references }
  const [user] = users
  if (user === undefined) throw new Error('There is no user')
  for (const recording of recordings) {
    const accepted = await upload(baseUrl, user, recording, { as: 'form' })
    if (accepted.status !== 202) throw new Error(`"${recording.name}" was refused: ${accepted.body}`)
    const entry = site.ledger.add({ id: readJson<{ id: string }>(accepted).id, user }, recording)
    await untilQuiet(site)
    const { body } = await download(baseUrl, entry)
    await recording.check(body)
    references.set(recording.name, createHash('sha256').update(body).digest('hex'))
  }
  return site
}
