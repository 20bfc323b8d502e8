import { once } from 'node:events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { multipartBody, partOf, uploadParts } from './multipart.ts'
import { connectRaw, exchange, head, type RawConnection } from './raw-http.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

let app: RunningApp
let user: User
beforeAll(async () => {
  app = await startApp({ limits: { headMs: 500, bodyPeriodMs: 500, minBodyBytes: 100, idleMs: 60_000 } })
  user = await app.createUser()
})
afterAll(() => app?.stop())

/** Sends it byte by byte, and returns what is answered meanwhile, when the other side has ended the connection. */
async function drip(bytes: string | Uint8Array): Promise<RawConnection> {
  const connection = await connectRaw(app.port)
  const { socket } = connection
  const left = [...Buffer.from(bytes)]
  const timer = setInterval(() => {
    const byte = left.shift()
    if (byte !== undefined && socket.writable) socket.write(Uint8Array.of(byte))
  }, 20)
  await connection.closed.finally(() => clearInterval(timer))
  return connection
}

const uploadHead = () =>
  head(app.port, 'POST /record', {
    'content-type': 'multipart/form-data; boundary=----wavemill-test',
    'content-length': 1_000_000,
  })

it('a head that comes byte by byte is cut', async () => {
  const connection = await drip(uploadHead())
  expect(connection.rest()).toMatch(/^HTTP\/1.1 408 /)
  connection.socket.destroy()
})

it('a body that comes byte by byte is cut, also when its form began well, and nothing is left of it', async () => {
  const connection = await connectRaw(app.port)
  const begun = Buffer.concat(uploadParts(user, buildWav().subarray(0, 1_000)).map(partOf)).subarray(0, -2)
  await connection.send(uploadHead())
  await connection.send(begun)
  const timer = setInterval(() => connection.socket.writable && connection.socket.write('a'), 20)
  expect((await connection.answer())?.status).toBe(408)
  await connection.closed.finally(() => clearInterval(timer))
  connection.socket.destroy()
  expect((await app.stored()).files).toEqual([])
})

it('many of them cost the others nothing', async () => {
  const sockets = await Promise.all(Array.from({ length: 200 }, () => connectRaw(app.port)))
  for (const { send } of sockets) await send(uploadHead())
  const ended = sockets.map(({ closed }) => closed)
  expect((await fetch(`${app.baseUrl}/health/ready`)).status).toBe(200)
  const body = multipartBody(uploadParts(user, 'no WAV'))
  const headers = { 'content-type': 'multipart/form-data; boundary=----wavemill-test' }
  const answer = await fetch(`${app.baseUrl}/record`, { method: 'POST', headers, body: new Uint8Array(body) })
  expect(answer.status).toBe(415)
  await Promise.all(ended)
  for (const { socket } of sockets) socket.destroy()
  await Promise.all(sockets.map(({ socket }) => socket.closed || once(socket, 'close')))
})

it('more than 100 header fields are 431, and 90 are not', async () => {
  const fields = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`x-${at}`, 1]))
  const tooMany = await exchange(app.port, head(app.port, 'GET /health/live', fields(101)))
  expect(tooMany?.status).toBe(431)
  expect(JSON.parse(tooMany?.body ?? '')).toMatchObject({ code: 'headers-too-large' })
  expect((await exchange(app.port, head(app.port, 'GET /health/live', fields(90))))?.status).toBe(200)
})
