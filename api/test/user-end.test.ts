/** A new token ends the old one; a user who goes takes everything along, and nothing of anybody else's. */
import { randomBytes, randomUUID } from 'node:crypto'
import { checkBooks } from '@wavemill/prisma/books'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { eventually } from './eventually.ts'
import { finishLinked } from './finished-record.ts'
import { CONTENT_TYPE, multipartBody, uploadParts } from './multipart.ts'
import { ask, statusOf, upload } from './own-user.ts'
import { connectRaw, head } from './raw-http.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

let app: RunningApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(async () => {
  try {
    expect(await checkBooks(app.db, app.wavStore, { settleMs: 0 })).toEqual([])
  } finally {
    await app?.stop()
  }
})

const renew = (user: User, token: string | undefined = user.token) =>
  ask(app, 'POST', `/user/token?user=${user.id}`, token)
const remove = (user: User, token: string | undefined = user.token) =>
  ask(app, 'DELETE', `/user?user=${user.id}`, token)
const list = (user: User, token = user.token) => statusOf(ask(app, 'GET', `/records?user=${user.id}`, token))

async function everything() {
  const { waiting } = await app.queue.counts()
  return { ...(await app.stored()), waiting, chunks: await app.db.prisma.chunk.count() }
}

describe('POST /user/token', () => {
  it('gives a new token, and the old one is nobody’s at once', async () => {
    const user = await app.createUser()
    const { url } = await upload(app, user)
    const answer = await renew(user)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const { token } = (await answer.json()) as { token: string }
    expect(token).not.toBe(user.token)
    expect(await list(user, user.token)).toBe(401)
    expect(await list(user, token)).toBe(200)
    await expect(upload(app, user)).rejects.toThrow('401')
    await upload(app, { ...user, token })
    expect(await statusOf(fetch(url))).toBe(202) // links have no token
    expect(app.logs()).not.toContain(token)
  })

  it('gives one of many who renew the same token at once a new one, which then is the only one', async () => {
    const user = await app.createUser()
    const answers = await Promise.all(Array.from({ length: 10 }, () => renew(user)))
    const good = answers.filter(({ status }) => status === 200)
    expect(good).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(9)
    const tokens = await Promise.all(good.map(async (answer) => (await answer.json()) as { token: string }))
    expect(await list(user, tokens[0]?.token)).toBe(200)
  })

  it('refuses no token with 400, and a wrong one with 401', async () => {
    const [user, other] = [await app.createUser(), await app.createUser()]
    expect(await statusOf(ask(app, 'POST', `/user/token?user=${user.id}`, undefined))).toBe(400)
    expect(await statusOf(ask(app, 'POST', '/user/token', user.token))).toBe(400)
    expect(await statusOf(renew(user, randomUUID()))).toBe(401)
    expect(await statusOf(renew(user, other.token))).toBe(401)
    expect(await list(user)).toBe(200)
  })
})

describe('DELETE /user', () => {
  it('removes the user with all that is theirs, and frees the name', async () => {
    const bob = await app.createUser()
    const bobs = await upload(app, bob)
    const before = await everything()
    const ada = await app.createUser('Ada')
    const ready = await upload(app, ada)
    const key = await finishLinked(app.db, ready.url, randomBytes(3_000_000))
    await app.wavStore.remove(key) // as a worker does, and its job ends
    await app.queue.remove([{ recordKey: key.toString(), seq: 0 }])
    const gone = await upload(app, ada)
    await ask(app, 'DELETE', `/record?id=${gone.id}&user=${ada.id}`, ada.token)
    const waiting = await upload(app, ada)
    const answer = await remove(ada)
    expect(answer.status).toBe(204)
    expect(await everything()).toEqual(before)
    for (const { url } of [ready, gone, waiting]) expect(await statusOf(fetch(url))).toBe(404)
    expect(await statusOf(fetch(bobs.url))).toBe(202)
    expect(await list(ada)).toBe(401)
    expect(await statusOf(remove(ada))).toBe(401)
    const successor = await app.createUser('Ada')
    expect(successor.id).not.toBe(ada.id)
    expect(await list(successor)).toBe(200)
  })

  it('answers an upload that is under way with 401, and nothing of it stays', async () => {
    const before = await everything()
    const user = await app.createUser()
    const body = multipartBody(uploadParts(user, buildWav({ samples: 100_000 })))
    const connection = await connectRaw(app.port)
    const headers = { 'content-type': CONTENT_TYPE, 'content-length': body.length }
    await connection.send(head(app.port, 'POST /record', headers))
    await connection.send(body.subarray(0, 100_000))
    await eventually(async () => expect(await app.wavStore.list()).toHaveLength(before.files.length + 1))
    expect(await statusOf(remove(user))).toBe(204)
    await connection.send(body.subarray(100_000))
    const answer = await connection.answer()
    connection.socket.destroy()
    expect(answer?.status).toBe(401)
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ code: 'unauthorized' })
    expect(await everything()).toEqual(before)
  })

  it('of a user who uploads as fast as they can leaves nothing either', async () => {
    const before = await everything()
    const user = await app.createUser()
    let accepted = 0
    async function uploadUntilRefused(): Promise<void> {
      for (;;) {
        await upload(app, user)
        accepted += 1
      }
    }
    const uploaders = Array.from({ length: 4 }, uploadUntilRefused)
    const refusals = Promise.allSettled(uploaders)
    await eventually(() => expect(accepted).toBeGreaterThan(4))
    expect(await statusOf(remove(user))).toBe(204)
    for (const refusal of await refusals) {
      expect(refusal).toMatchObject({ reason: { message: expect.stringMatching(/^POST \/record: 401/) } })
    }
    // A job that was added for a recording that is gone is all that may stay: it ends by itself.
    expect({ ...(await everything()), waiting: 0 }).toEqual({ ...before, waiting: 0 })
  })

  it('of many at once is 204 or, after it, 401', async () => {
    const user = await app.createUser()
    await upload(app, user)
    const statuses = await Promise.all(Array.from({ length: 8 }, () => statusOf(remove(user))))
    expect(statuses).toContain(204)
    expect(statuses.filter((status) => status !== 204 && status !== 401)).toEqual([])
  })

  it('refuses no token with 400, and a wrong one with 401', async () => {
    const [user, other] = [await app.createUser(), await app.createUser()]
    const before = await everything()
    expect(await statusOf(ask(app, 'DELETE', `/user?user=${user.id}`, undefined))).toBe(400)
    expect(await statusOf(ask(app, 'DELETE', '/user', user.token))).toBe(400)
    expect(await statusOf(ask(app, 'DELETE', '/user?user=x', user.token))).toBe(400)
    expect(await statusOf(remove(user, randomUUID()))).toBe(401)
    expect(await statusOf(remove(user, other.token))).toBe(401)
    expect(await everything()).toEqual(before)
  })
})
