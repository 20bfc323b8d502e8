/** Idempotency-Key with two API processes on one database, of which one is killed in the middle of uploads. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { type ApiProcess, type ApiProcesses, openApiProcesses } from './api-processes.ts'
import { eventually } from './eventually.ts'
import { type KeyedUpload, send, sendHalf, ways } from './keyed-upload.ts'
import type { User } from './running-app.ts'

let processes: ApiProcesses
let one: ApiProcess
let two: ApiProcess
let user: User
beforeAll(async () => {
  processes = await openApiProcesses()
  ;[one, two] = await Promise.all([processes.start(), processes.start()])
  user = await processes.createUser(two.port)
}, 120_000)
afterAll(() => processes?.close())

const wav = buildWav()
const sendTo = ({ port }: ApiProcess, upload: KeyedUpload) => send(`http://127.0.0.1:${port}`, upload)
const isReplayed = ({ headers }: Response) => headers.has('idempotency-replayed')

it('of twenty at once, half of them to each process, exactly one makes a record', async () => {
  const before = await processes.countRecords()
  const upload = { user, wav, key: randomUUID() }
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => sendTo(index % 2 === 0 ? one : two, upload)),
  )
  expect(answers.filter((answer) => answer.status === 202 && !isReplayed(answer))).toHaveLength(1)
  // 503 where a process has too much to do for the moment.
  expect(answers.every(({ status }) => [202, 409, 503].includes(status))).toBe(true)
  expect(await processes.countRecords()).toBe(before + 1)
})

it('a key is taken for all processes while its own one lives; once that was killed it is free within seconds', async () => {
  const before = await processes.countRecords()
  const uploads = ways.map((way): KeyedUpload => ({ way, user, wav, key: randomUUID() }))
  const broken = await Promise.all(uploads.map((upload) => sendHalf(one.port, upload)))
  for (const upload of uploads) {
    await eventually(async () => expect(await processes.heldKeys()).toContain(upload.key))
    await eventually(async () => expect((await sendTo(two, upload)).status).toBe(409))
  }

  await one.kill()
  for (const connection of broken) {
    await connection.closed
    connection.socket.destroy()
  }
  for (const upload of uploads) {
    await eventually(async () => {
      const answer = await sendTo(two, upload)
      expect([answer.status, isReplayed(answer)]).toEqual([202, false])
    })
    const again = await sendTo(two, upload)
    expect([again.status, isReplayed(again)]).toEqual([202, true])
  }
  expect(await processes.countRecords()).toBe(before + uploads.length)
})
