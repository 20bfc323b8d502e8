/** Measures how long after a fault the service is its old self, and waits for quiet. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, NoAnswer } from './ask.ts'
import { askStatus, type Link, readJson, upload } from './client.ts'
import type { Api } from './fleet.ts'
import { PATIENCE_MS, type Site } from './site.ts'

/**
 * Resolves when what waited at the end of the fault is done, both APIs say that they are ready, and what is uploaded to
 * each now is transcoded.
 *
 * @throws Error if that takes longer than {@link PATIENCE_MS}.
 */
export async function untilNormal(site: Site): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  await Promise.all([
    untilDone(site, deadline),
    ...site.fleet.apis.map((api) => untilServed(site, api, deadline)),
  ])
}

/** No record waits, no ffmpeg runs, and no transaction is open. */
export async function untilQuiet(site: Site): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  await untilDone(site, deadline)
  await untilTrue('an ffmpeg runs', deadline, async () => (await site.fleet.ffmpegs()).length === 0)
  await untilTrue('a transaction is open', deadline, async () => {
    const { rowCount } = await site.db.pool.query(
      `SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()
         AND state <> 'idle' AND backend_type = 'client backend' AND xact_start < now() - interval '1 second'`,
    )
    return rowCount === 0
  })
}

/** Those that wait now, not those that come meanwhile. */
async function untilDone({ db }: Site, deadline: number): Promise<void> {
  const waiting = { status: { in: ['queued' as const, 'processing' as const] } }
  let last: bigint | undefined
  await untilTrue('records wait', deadline, async () => {
    last ??=
      (await db.prisma.record.findFirst({ orderBy: { key: 'desc' }, select: { key: true } }))?.key ?? 0n
    return (await db.prisma.record.count({ where: { ...waiting, key: { lte: last } } })) === 0
  })
}

async function untilServed(site: Site, api: Api, deadline: number): Promise<void> {
  let link: Link | undefined
  await untilTrue(`${api.name} does not serve`, deadline, async () => {
    if ((await ask(`${api.baseUrl}/health/ready`)).status !== 200) return false
    link = await uploadShortest(site, api)
    return link !== undefined
  })
  await untilTrue(`${api.name} took a recording that does not become ready`, deadline, async () => {
    if (link === undefined) return false
    const answer = await askStatus(api.baseUrl, link)
    const isThere = answer.status === 200 && readJson<{ status: string }>(answer).status === 'ready'
    return isThere || answer.status === 410 || isRobbed(site, link)
  })
}

/** By a user of its own, whose turn comes before what others have waiting. */
async function uploadShortest({ users, recordings, ledger }: Site, api: Api): Promise<Link | undefined> {
  const user = users.at(-1)
  if (user === undefined) throw new Error('There is no user')
  const answer = await upload(api.baseUrl, user, recordings[0], { as: 'raw' })
  if (answer.status !== 202) return undefined
  return ledger.add({ id: readJson<{ id: string }>(answer).id, user }, recordings[0])
}

function isRobbed({ ledger }: Site, { id }: Link): boolean {
  return ledger.robbed.has(id)
}

/** While something is away a condition cannot be asked: that is not yet a failure. */
async function untilTrue(what: string, deadline: number, holds: () => Promise<boolean>): Promise<void> {
  let trouble: unknown
  while (Date.now() < deadline) {
    try {
      if (await holds()) return
      trouble = undefined
    } catch (error) {
      trouble = error instanceof NoAnswer ? error.cause : error
    }
    await sleep(50)
  }
  throw new Error(`After ${PATIENCE_MS / 1000} s ${what}`, { cause: trouble })
}
