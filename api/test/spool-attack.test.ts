/** Two hundred uploads at once with the file first and a wrong token behind it: the cap on what is stored of them holds. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { eventually } from './eventually.ts'
import { CONTENT_TYPE, multipartBody, partOf, post, uploadParts } from './multipart.ts'
import { connectRaw, head, type RawConnection } from './raw-http.ts'
import { type RunningApp, startApp } from './running-app.ts'

const ATTACKERS = 200
const wav = buildWav({ samples: 100_000 })
/** What the service is documented to allow: 2 for an address, 8 in all. All of these come from one address. */
const CAP = 2

let app: RunningApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app?.stop())

it('never more files than allowed, none at the end, and honest uploads go on meanwhile', async () => {
  const honest = await app.createUser()
  const before = await app.stored()
  const wrong = { id: honest.id, token: randomUUID() }
  const [user, token, file] = uploadParts(wrong, wav)
  const body = multipartBody([file, user, token])
  const upToTheFile = partOf(file).length - 1000 // so the file is still being written

  let most = 0
  let watching = true
  const watch = (async () => {
    while (watching) most = Math.max(most, (await app.wavStore.list()).length - before.files.length)
  })()

  const connections = await Promise.all(Array.from({ length: ATTACKERS }, () => connectRaw(app.port)))
  const headers = { 'content-type': CONTENT_TYPE, 'content-length': body.length }
  const attack = async (connection: RawConnection) => {
    await connection.send(head(app.port, 'POST /record', headers))
    await connection.send(body.subarray(0, upToTheFile))
  }
  const refusals: number[] = []
  const answered = connections.map(async (connection) => {
    const answer = await connection.answer()
    if (answer !== undefined) refusals.push(answer.status)
    return answer?.status
  })
  await Promise.all(connections.map(attack))
  // All but those that hold the places are told to come again; those hold them, with a file each.
  await eventually(() => expect(refusals).toHaveLength(ATTACKERS - CAP))
  expect(new Set(refusals)).toEqual(new Set([429]))
  expect((await app.wavStore.list()).length - before.files.length).toBe(CAP)

  // Meanwhile somebody honest, from the same address, who says first whose it is.
  const [honestUser, , honestFile] = uploadParts(honest, wav)
  const bearer = { authorization: `Bearer ${honest.token}` }
  const accepted = await post(`${app.baseUrl}/record`, multipartBody([honestUser, honestFile]), bearer)
  expect(accepted.status).toBe(202)

  // The token comes at last, and is wrong.
  for (const connection of connections) await connection.send(body.subarray(upToTheFile))
  const statuses = await Promise.all(answered)
  expect(statuses.filter((status) => status === 401)).toHaveLength(CAP)
  watching = false
  await watch
  expect(most).toBeLessThanOrEqual(CAP + 1) // the honest one too
  expect(most).toBeGreaterThanOrEqual(CAP)
  for (const { socket } of connections) socket.destroy()

  await eventually(async () => {
    const after = await app.stored()
    expect(after).toMatchObject({ users: before.users, records: before.records + 1 })
    expect(after.files).toHaveLength(before.files.length + 1)
  })
  // And the places are free again.
  const [userPart, tokenPart, filePart] = uploadParts(honest, wav)
  const late = await post(`${app.baseUrl}/record`, multipartBody([filePart, userPart, tokenPart]))
  expect(late.status).toBe(202)
})

it('places are given back, and files removed, also where the attackers vanish in the middle', async () => {
  const honest = await app.createUser()
  const before = await app.stored()
  const [user, token, file] = uploadParts(honest, wav)
  const body = multipartBody([file, user, token])
  const connections = await Promise.all(Array.from({ length: ATTACKERS }, () => connectRaw(app.port)))
  const headers = { 'content-type': CONTENT_TYPE, 'content-length': body.length }
  for (const connection of connections) {
    await connection.send(head(app.port, 'POST /record', headers))
    await connection.send(body.subarray(0, 50_000))
  }
  await eventually(async () => expect((await app.stored()).files.length - before.files.length).toBe(CAP))
  for (const { socket } of connections) socket.resetAndDestroy()
  await eventually(async () => expect(await app.stored()).toEqual(before))
  expect((await post(`${app.baseUrl}/record`, body)).status).toBe(202)
})
