/** GET /records: the user's own recordings, page by page, also while more come and some go. */
import { randomBytes, randomUUID } from 'node:crypto'
import { failRecord } from '@wavemill/prisma/fail-record'
import { takeSegment } from '@wavemill/prisma/take-segment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { finishLinked, keyOf } from './finished-record.ts'
import { ask, statusOf, type Uploaded, upload } from './own-user.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

interface Page {
  readonly records: readonly { readonly id: string; readonly status: string }[]
  readonly nextCursor: string | null
}

let app: RunningApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app?.stop())

async function page(user: User, query: Readonly<Record<string, string>> = {}): Promise<Page> {
  const search = new URLSearchParams({ user: user.id, ...query })
  const answer = await ask(app, 'GET', `/records?${search}`, user.token)
  expect(answer.status).toBe(200)
  return (await answer.json()) as Page
}

const idsOf = ({ records }: Page) => records.map(({ id }) => id)

/** All pages, one after the other; `between` happens after each. */
async function* traverse(user: User, query: Readonly<Record<string, string>>): AsyncGenerator<Page> {
  let cursor: string | null = null
  do {
    const next: Page = await page(user, cursor === null ? query : { ...query, cursor })
    yield next
    cursor = next.nextCursor
  } while (cursor !== null)
}

async function uploads(user: User, count: number): Promise<string[]> {
  const ids: string[] = []
  while (ids.length < count) ids.unshift((await upload(app, user)).id)
  return ids
}

const remove = (user: User, id: string) =>
  statusOf(ask(app, 'DELETE', `/record?id=${id}&user=${user.id}`, user.token))

describe('GET /records', () => {
  it('of a new user is empty', async () => {
    expect(await page(await app.createUser())).toEqual({ records: [], nextCursor: null })
  })

  it('tells of each recording what its status does, its links, and the title that was asked for', async () => {
    const user = await app.createUser()
    const before = Date.now()
    const { id, url } = await upload(app, user, { title: 'Ночь' })
    const { records } = await page(user)
    expect(records).toHaveLength(1)
    const [record] = records
    expect(record).toMatchObject({
      url,
      title: 'Ночь',
      status: 'queued',
      progress: 0,
      failure: null,
      mp3: null,
    })
    const { url: _url, title: _title, statusUrl, ...rest } = record as Record<string, unknown>
    const status = (await (await fetch(String(statusUrl))).json()) as { createdAt: string }
    expect(rest).toEqual(status)
    expect(status).toMatchObject({ id, source: { fileName: 'take 1.wav', samples: 1000 } })
    expect(Date.parse(status.createdAt)).toBeGreaterThanOrEqual(before - 1_000)
  })

  it('shows each user only their own, the latest first', async () => {
    const [ada, bob] = [await app.createUser(), await app.createUser()]
    const [adas, bobs]: [string[], string[]] = [[], []]
    for (let round = 0; round < 3; round += 1) {
      adas.unshift((await upload(app, ada)).id)
      bobs.unshift((await upload(app, bob)).id)
    }
    expect(idsOf(await page(ada))).toEqual(adas)
    expect(idsOf(await page(bob))).toEqual(bobs)
  })

  it('gives 20 at once unless told, and with limit=1 one', async () => {
    const user = await app.createUser()
    const ids = await uploads(user, 21)
    const first = await page(user)
    expect(idsOf(first)).toEqual(ids.slice(0, 20))
    expect(idsOf(await page(user, { cursor: String(first.nextCursor) }))).toEqual(ids.slice(20))
    expect(idsOf(await page(user, { limit: '1' }))).toEqual(ids.slice(0, 1))
    expect(await page(user, { limit: '21' })).toMatchObject({ nextCursor: null })
    expect(await page(user, { limit: '100' })).toMatchObject({ nextCursor: null })
  })

  it('neither repeats nor leaves out what was there at the beginning, while more come and some go', async () => {
    const user = await app.createUser()
    const ids = await uploads(user, 9)
    const seen: string[] = []
    const underWay: Promise<Uploaded>[] = []
    for await (const next of traverse(user, { limit: '2' })) {
      seen.push(...idsOf(next))
      underWay.push(upload(app, user), upload(app, user))
      const last = next.records.at(-1)?.id
      if (seen.length === 4 && last !== undefined) expect(await remove(user, last)).toBe(204) // the cursor's own
    }
    expect(seen).toEqual(ids)
    const added = (await Promise.all(underWay)).map(({ id }) => id)
    const all: string[] = []
    for await (const next of traverse(user, { limit: '3' })) all.push(...idsOf(next))
    expect(all.toSorted()).toEqual([...ids.filter((id) => id !== ids[3]), ...added].toSorted())
    expect(all.slice(-8)).toEqual(ids.filter((id) => id !== ids[3]))
  })

  it('filters by status, and knows nothing of what was deleted or has expired', async () => {
    const user = await app.createUser()
    const recordings = await Promise.all(Array.from({ length: 6 }, () => upload(app, user)))
    const [queued, processing, ready, failed, deleted, expired] = recordings.map(({ id }) => id)
    const key = (index: number) => keyOf(app.db, recordings[index]?.url ?? '')
    await takeSegment(app.db, { recordKey: await key(1), seq: 0, worker: 'test' })
    await finishLinked(app.db, recordings[2]?.url ?? '', randomBytes(2_000))
    await failRecord(app.db, { recordKey: await key(3), code: 'undecodable', detail: '' })
    await remove(user, deleted ?? '')
    await app.db.prisma.record.update({
      where: { key: await key(5) },
      data: { expiresAt: new Date(Date.now() - 1) },
    })
    expect(idsOf(await page(user, { status: 'queued' }))).toEqual([queued])
    expect(idsOf(await page(user, { status: 'processing' }))).toEqual([processing])
    expect(idsOf(await page(user, { status: 'ready' }))).toEqual([ready])
    expect(idsOf(await page(user, { status: 'failed' }))).toEqual([failed])
    const all = idsOf(await page(user))
    expect(new Set(all)).toEqual(new Set([queued, processing, ready, failed]))
    expect(all).not.toContain(expired)
    const [shown] = (await page(user, { status: 'failed' })).records
    expect(shown).toMatchObject({ failure: { code: 'undecodable' } })
  })

  it('ignores a query field that it does not know', async () => {
    const user = await app.createUser()
    expect(await page(user, { utm_source: 'x' })).toEqual({ records: [], nextCursor: null })
  })
})

describe('GET /records refuses', () => {
  let ada: User
  let bobs: string
  beforeAll(async () => {
    ada = await app.createUser()
    bobs = (await upload(app, await app.createUser())).id
  })

  it.each([
    ['a limit of 0', 'limit=0', 'limit'],
    ['a limit of 101', 'limit=101', 'limit'],
    ['a limit that is no number', 'limit=ten', 'limit'],
    ['a limit in parts', 'limit=1.5', 'limit'],
    ['an empty limit', 'limit=', 'limit'],
    ['two limits', 'limit=1&limit=2', 'limit'],
    ['an unknown status', 'status=done', 'status'],
    ['a status in capitals', 'status=READY', 'status'],
    ['two statuses', 'status=ready&status=failed', 'status'],
    ['a cursor that is none', 'cursor=7', 'cursor'],
    ['an empty cursor', 'cursor=', 'cursor'],
    ['a cursor that nobody has given', `cursor=${randomUUID()}`, 'cursor'],
    ["a cursor of another user's", () => `cursor=${bobs}`, 'cursor'],
    ['a long cursor', `cursor=${'x'.repeat(5_000)}`, 'cursor'],
  ])('%s and names it', async (_what, query, field) => {
    const more = typeof query === 'string' ? query : query()
    const answer = await ask(app, 'GET', `/records?user=${ada.id}&${more}`, ada.token)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code: 'bad-field', field })
  })

  it('no token with 400, and a wrong one with 401', async () => {
    const path = `/records?user=${ada.id}`
    expect(await statusOf(ask(app, 'GET', path, undefined))).toBe(400)
    expect(await statusOf(ask(app, 'GET', path, randomUUID()))).toBe(401)
    expect(await statusOf(ask(app, 'GET', `/records?user=${randomUUID()}`, ada.token))).toBe(401)
    expect(await statusOf(ask(app, 'GET', `${path}&token=${ada.token}`, undefined))).toBe(400)
    expect(await statusOf(ask(app, 'GET', '/records', ada.token))).toBe(400)
  })
})
