/** DELETE /record: everything of the recording goes but the answer 410, and nothing of anybody else's. */
import { randomBytes, randomUUID } from 'node:crypto'
import { checkBooks } from '@wavemill/prisma/books'
import { removeRecordIn } from '@wavemill/prisma/records'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { finishLinked, keyOf } from './finished-record.ts'
import { ask, statusOf, upload } from './own-user.ts'
import { exchange, head } from './raw-http.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

let app: RunningApp
let ada: User
let bob: User
beforeAll(async () => {
  app = await startApp()
  ada = await app.createUser()
  bob = await app.createUser()
})
afterAll(async () => {
  try {
    expect(await checkBooks(app.db, app.wavStore, { settleMs: 0 })).toEqual([])
  } finally {
    await app?.stop()
  }
})

const pathOf = (id: string, user = ada) => `/record?id=${id}&user=${user.id}`

/** Everything that may be left of any recording. */
async function left() {
  const { segments, files } = await app.stored()
  const { waiting } = await app.queue.counts()
  return { segments, files, waiting, chunks: await app.db.prisma.chunk.count() }
}

/** After a record is ready its WAV and its job are gone. */
async function cleanUpLikeWorker(key: bigint): Promise<void> {
  await app.wavStore.remove(key)
  await app.queue.remove([{ recordKey: key.toString(), seq: 0 }])
}

describe('DELETE /record', () => {
  it('removes the rows, the file and the waiting job of a recording that waits; again it is 204', async () => {
    const before = await left()
    const { id, url } = await upload(app, ada)
    expect(await left()).not.toEqual(before)
    for (let time = 0; time < 2; time += 1) {
      const answer = await ask(app, 'DELETE', pathOf(id), ada.token)
      expect(answer.status).toBe(204)
      expect(await answer.text()).toBe('')
      expect(await left()).toEqual(before)
    }
    for (const path of [pathOf(id), pathOf(id).replace('/record', '/record/status')]) {
      const answer = await ask(app, 'GET', path, undefined)
      expect(answer.status).toBe(410)
      expect(await answer.json()).toMatchObject({ code: 'gone' })
    }
    const tombstone = await app.db.prisma.record.findUniqueOrThrow({
      where: { key: await keyOf(app.db, url) },
    })
    expect(tombstone).toMatchObject({ status: 'deleted', fileName: '', options: {}, warnings: [] })
  })

  it('removes every chunk of an MP3 that is ready', async () => {
    const before = await left()
    const { id, url } = await upload(app, ada)
    const other = await upload(app, bob)
    const key = await finishLinked(app.db, url, randomBytes(3_000_000))
    await cleanUpLikeWorker(key)
    expect(await app.db.prisma.chunk.count({ where: { recordKey: key } })).toBeGreaterThan(2)
    expect(await statusOf(ask(app, 'DELETE', pathOf(id), ada.token))).toBe(204)
    expect(await app.db.prisma.chunk.count({ where: { recordKey: key } })).toBe(0)
    expect(await statusOf(fetch(url))).toBe(410)
    expect(await statusOf(fetch(other.url))).toBe(202)
    expect(await statusOf(ask(app, 'DELETE', pathOf(other.id, bob), bob.token))).toBe(204)
    expect(await left()).toEqual(before)
  })

  it('removes one for all of many who ask at the same moment', async () => {
    const { id } = await upload(app, ada)
    const answers = Array.from({ length: 10 }, () => statusOf(ask(app, 'DELETE', pathOf(id), ada.token)))
    expect(new Set(await Promise.all(answers))).toEqual(new Set([204]))
  })

  it('of what has expired is 204 too', async () => {
    const { id, url } = await upload(app, ada)
    const key = await finishLinked(app.db, url, randomBytes(2_000))
    await app.db.prisma.record.update({ where: { key }, data: { expiresAt: new Date(Date.now() - 1) } })
    expect(await statusOf(fetch(url))).toBe(410)
    expect(await statusOf(ask(app, 'DELETE', pathOf(id), ada.token))).toBe(204)
    expect(await app.db.prisma.chunk.count({ where: { recordKey: key } })).toBe(0)
  })

  it.each(['application/json', 'audio/wav', 'x/y'])('heeds no Content-Type: %s', async (type) => {
    const { id } = await upload(app, ada)
    const answer = ask(app, 'DELETE', pathOf(id), ada.token, { 'content-type': type })
    expect(await statusOf(answer)).toBe(204)
  })

  it('heeds no body', async () => {
    const { id } = await upload(app, ada)
    const headers = { authorization: `Bearer ${ada.token}`, 'content-length': 7 }
    const answer = await exchange(app.port, `${head(app.port, `DELETE ${pathOf(id)}`, headers)}{"id":1`)
    expect(answer?.status).toBe(204)
  })
})

/** As many downloads as there are connections for them. */
const DOWNLOADS_AT_ONCE = 4

it('a download that has found the recording, and then no longer its bytes, is answered with 410', async () => {
  const recordings = await Promise.all(
    Array.from({ length: DOWNLOADS_AT_ONCE + 1 }, async () => {
      const { url } = await upload(app, ada)
      const key = await finishLinked(app.db, url, randomBytes(2_000))
      await cleanUpLikeWorker(key)
      return { url, key }
    }),
  )
  const client = await app.db.pool.connect()
  // Not the client's own: within a transaction the view of all connections stands still.
  const rowsOf = async (sql: string) => (await app.db.pool.query(sql)).rowCount
  try {
    await client.query('BEGIN; LOCK TABLE chunk IN ACCESS EXCLUSIVE MODE')
    const others = recordings.slice(1).map(({ url }) => statusOf(fetch(url)))
    const waiting = "SELECT FROM pg_locks WHERE relation = 'chunk'::regclass AND NOT granted"
    await eventually(async () => expect(await rowsOf(waiting)).toBe(DOWNLOADS_AT_ONCE))
    const { rows } = await app.db.pool.query<{ now: string }>('SELECT clock_timestamp()::text AS now')
    const late = statusOf(fetch(recordings[0]?.url ?? ''))
    const looks = `SELECT FROM pg_stat_activity WHERE application_name = 'api under test'
      AND datname = current_database() AND query LIKE '%FROM record WHERE id = %' AND state = 'idle' AND query_start > '${rows[0]?.now}'`
    await eventually(async () => expect(await rowsOf(looks)).toBe(1))
    await removeRecordIn(client, recordings[0]?.key ?? 0n, 'deleted')
    await client.query('COMMIT')
    expect(await late).toBe(410)
    expect(await Promise.all(others)).toEqual(Array(DOWNLOADS_AT_ONCE).fill(200))
  } finally {
    client.release(true)
  }
})

describe('DELETE /record refuses', () => {
  let id: string
  beforeAll(async () => {
    id = (await upload(app, ada)).id
  })

  it.each([
    ['no token', () => ask(app, 'DELETE', pathOf(id), undefined), 400, 'missing-field'],
    ['a token that is no UUID', () => ask(app, 'DELETE', pathOf(id), 'x'), 400, 'bad-field'],
    ['a wrong token', () => ask(app, 'DELETE', pathOf(id), randomUUID()), 401, 'unauthorized'],
    ["another user's token", () => ask(app, 'DELETE', pathOf(id), bob.token), 401, 'unauthorized'],
    ["another user's recording", () => ask(app, 'DELETE', pathOf(id, bob), bob.token), 404, 'unknown-record'],
    ['an unknown id', () => ask(app, 'DELETE', pathOf(randomUUID()), ada.token), 404, 'unknown-record'],
    ['an id that is no UUID', () => ask(app, 'DELETE', pathOf('7'), ada.token), 404, 'unknown-record'],
    ['no id', () => ask(app, 'DELETE', `/record?user=${ada.id}`, ada.token), 400, 'missing-field'],
    ['no user', () => ask(app, 'DELETE', `/record?id=${id}`, ada.token), 400, 'missing-field'],
    ['a user that is none', () => ask(app, 'DELETE', `/record?id=${id}&user=x`, ada.token), 400, 'bad-field'],
    ['two ids', () => ask(app, 'DELETE', `${pathOf(id)}&id=${id}`, ada.token), 400, 'bad-field'],
  ])('%s, and removes nothing', async (_what, request, status, code) => {
    const before = await app.stored()
    const answer = await request()
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(await answer.json()).toMatchObject({ status, code })
    expect(await app.stored()).toEqual(before)
    expect(await statusOf(ask(app, 'GET', pathOf(id), undefined))).toBe(202)
  })

  it('two Authorization headers', async () => {
    const request = head(app.port, `DELETE ${pathOf(id)}`, { authorization: `Bearer ${ada.token}` })
    const twice = request.replace('\r\n', `\r\nauthorization: Bearer ${ada.token}\r\n`)
    const answer = await exchange(app.port, twice)
    expect(answer?.status).toBe(400)
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ code: 'duplicate-field', field: 'authorization' })
  })
})
