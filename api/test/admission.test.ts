import { afterEach, describe, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { eventually } from './eventually.ts'
import { finishLinked } from './finished-record.ts'
import { BOUNDARY, CONTENT_TYPE, multipartBody, partOf, post, uploadParts } from './multipart.ts'
import { ask, statusOf, upload } from './own-user.ts'
import { connectRaw, head, type RawAnswer, type RawConnection } from './raw-http.ts'
import { type AppOptions, type RunningApp, startApp, type User } from './running-app.ts'

const MB = 1_048_576

let app: RunningApp
let user: User
const connections: RawConnection[] = []

async function start(options: AppOptions): Promise<void> {
  app = await startApp(options)
  user = await app.createUser()
}
afterEach(async () => {
  for (const { socket } of connections.splice(0)) socket.destroy()
  await app.stop()
})

/** The head of an upload, with none of its body. */
async function announce(length: number, headers = {}, path = '/record'): Promise<RawConnection> {
  const connection = await connectRaw(app.port)
  connections.push(connection)
  const all = { 'content-type': CONTENT_TYPE, 'content-length': length, ...headers }
  await connection.send(head(app.port, `POST ${path}`, all))
  return connection
}

/** The answer to an upload of which nothing but the head has come. */
async function answerToHead(length = 10_000, headers = {}, path?: string): Promise<RawAnswer | undefined> {
  return await (await announce(length, headers, path)).answer()
}

const codeOf = (answer: RawAnswer | undefined): [number | undefined, unknown, boolean] => [
  answer?.status,
  JSON.parse(answer?.body ?? '{}').code,
  Number(answer?.headers.get('retry-after')) > 0,
]

const send = async (wav: Uint8Array | string = buildWav({ samples: 1000 })) => {
  const answer = await post(`${app.baseUrl}/record`, multipartBody(uploadParts(user, wav)))
  const { code } = (await answer.json()) as { code?: string }
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), code }
}

/** What waits is counted twice a second. */
const untilFull = () =>
  eventually(async () => expect(await send('no WAV')).toMatchObject({ code: 'queue-full' }))

describe('a queue that is full', () => {
  it('refuses uploads before their body has come, lets polls and downloads go on, and takes uploads again', async () => {
    await start({ settings: { maxWaiting: 2 } })
    const [first, second] = [await upload(app, user), await upload(app, user)]
    await untilFull()
    expect(codeOf(await answerToHead())).toEqual([503, 'queue-full', true])
    const raw = { 'content-type': 'audio/wav', authorization: `Bearer ${user.token}` }
    expect(codeOf(await answerToHead(MB, raw, `/record?user=${user.id}`))).toEqual([503, 'queue-full', true])
    await finishLinked(app.db, first.url, Buffer.from('mp3'))
    expect((await fetch(first.url)).status).toBe(200)
    expect((await fetch(second.url)).status).toBe(202)
    await eventually(async () => expect((await send()).status).toBe(202))
  })

  it('is also one whose WAVs take up as much as they may', async () => {
    await start({ settings: { maxWaitingBytes: 3_000 } })
    await upload(app, user)
    await untilFull()
    expect(codeOf(await answerToHead())).toEqual([503, 'queue-full', true])
  })
})

it('a disk that recordings which wait have filled is 503, and one that is full otherwise 507', async () => {
  let freeBytes = 10 * MB
  await start({
    settings: { minFreeDiskBytes: 8 * MB },
    wrapStore: (store) => ({ ...store, freeBytes: async () => freeBytes }),
  })
  expect((await send(buildWav({ samples: 200_000 }))).status).toBe(202)
  freeBytes = 8 * MB - 300_000
  await untilFull()
  expect(codeOf(await answerToHead())).toEqual([503, 'queue-full', true])
  freeBytes = 6 * MB
  expect((await answerToHead())?.status).toBe(507)
  freeBytes = 10 * MB
  expect((await answerToHead(3 * MB))?.status).toBe(507)
})

describe('a quota', () => {
  it('of recordings that wait is 429, also for a body that has not come', async () => {
    await start({ settings: { quotaWaiting: 1 } })
    const { url } = await upload(app, user)
    expect(await send()).toMatchObject({ status: 429, code: 'too-many-waiting', retryAfter: '30' })
    const raw = { 'content-type': 'audio/wav', authorization: `Bearer ${user.token}` }
    const early = await answerToHead(MB, raw, `/record?user=${user.id}`)
    expect(codeOf(early)).toEqual([429, 'too-many-waiting', true])
    await finishLinked(app.db, url, Buffer.from('mp3'))
    expect((await send()).status).toBe(202)
  })

  it('of recordings is 403 until one is deleted', async () => {
    await start({ settings: { quotaRecordings: 1 } })
    const { id } = await upload(app, user)
    expect(await send()).toMatchObject({ status: 403, code: 'quota-exceeded' })
    await ask(app, 'DELETE', `/record?id=${id}&user=${user.id}`, user.token)
    expect((await send()).status).toBe(202)
  })

  it('is kept also by uploads that come at once, and nothing of those that are refused is left', async () => {
    await start({ settings: { quotaBytes: 10_000 } })
    const wav = buildWav({ samples: 1000 }) // of which two have room
    const answers = await Promise.all(Array.from({ length: 12 }, () => send(wav)))
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 202, ...Array(10).fill(403)])
    expect(await app.stored()).toMatchObject({
      records: 2,
      segments: 2,
      files: ['1.wav', '2.wav'].map(anyWav),
    })
  })
  const anyWav = () => expect.stringMatching(/^\d+\.wav$/)
})

describe('uploads of one address', () => {
  const half = () => Buffer.concat(uploadParts(user, buildWav()).map(partOf)).subarray(0, -9000)
  const drafts = async () => (await app.wavStore.list()).filter(({ temporary }) => temporary).length

  const startWithLine = (uploadsInLine: number) =>
    start({
      settings: { uploadsAtOnce: 2 },
      limits: { uploadsInLine, bodyPeriodMs: 500, minBodyBytes: 2_000, idleMs: 2_000 },
    })

  it('are read a few at once, the others wait, and one too many is told so; reads go on', async () => {
    await startWithLine(1)
    const readers = [await announce(MB), await announce(MB)]
    for (const reader of readers) await reader.send(half())
    await eventually(async () => expect(await drafts()).toBe(2))
    const body = multipartBody(uploadParts(user, buildWav({ samples: 1000 })))
    const waiting = await announce(body.length)
    await waiting.send(body)
    await eventually(async () =>
      expect(codeOf(await answerToHead())).toEqual([429, 'too-many-uploads', true]),
    )
    expect(await statusOf(ask(app, 'GET', '/health/ready', undefined))).toBe(200)
    expect(await drafts()).toBe(2)
    readers[0]?.socket.destroy()
    expect((await waiting.answer())?.status).toBe(202)
  })

  it('lose their place when they go away, and one that stalls gives it to the next', async () => {
    await startWithLine(1)
    const stalls = [await announce(MB), await announce(MB)]
    for (const stall of stalls) await stall.send(half())
    await eventually(async () => expect(await drafts()).toBe(2))
    const impatient = await announce(MB)
    await eventually(async () => expect((await answerToHead())?.status).toBe(429))
    impatient.socket.destroy()
    const body = multipartBody(uploadParts(user, buildWav({ samples: 1000 })))
    const next = await announce(body.length)
    await next.send(body)
    for (const stall of stalls) expect((await stall.answer())?.status).toBe(408)
    expect((await next.answer())?.status).toBe(202)
  })

  it('are not cut while they wait for us, however long; one that sends too little is, also in the line', async () => {
    await startWithLine(2)
    const [slow, other] = [await announce(8 * MB), await announce(8 * MB)]
    const piece = Buffer.alloc(4_000)
    const feed = setInterval(() => {
      for (const { socket } of [slow, other]) socket.write(piece)
    }, 50)
    try {
      for (const reader of [slow, other]) await reader.send(half().subarray(0, 2_000))
      await eventually(async () => expect(await drafts()).toBe(2))
      const poor = await announce(MB)
      expect((await poor.answer())?.status).toBe(408)
      const body = multipartBody(uploadParts(user, buildWav()))
      const waiting = await announce(body.length)
      await waiting.send(body)
      let isAnswered = false
      const answer = waiting.answer().finally(() => {
        isAnswered = true
      })
      await new Promise((resolve) => setTimeout(resolve, 3_000))
      expect(isAnswered).toBe(false)
      for (const { socket } of [slow, other]) socket.destroy()
      expect((await answer)?.status).toBe(202)
    } finally {
      clearInterval(feed)
    }
  })
})

it('an event loop that is late refuses what costs, and nothing else', async () => {
  await start({})
  const { url } = await upload(app, user)
  const late = await startApp({ limits: { maxEventLoopDelayMs: 0.000_001 } })
  try {
    await eventually(async () => {
      const answer = await fetch(`${late.baseUrl}/user`, {
        method: 'POST',
        body: new URLSearchParams({ name: 'Ada' }),
      })
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '10'])
      expect(await answer.json()).toMatchObject({ code: 'overloaded' })
    })
    const form = `--${BOUNDARY}--\r\n`
    expect((await post(`${late.baseUrl}/record`, form)).status).toBe(503)
    expect(await statusOf(ask(late, 'GET', '/health/live', undefined))).toBe(200)
    expect(await statusOf(ask(late, 'GET', '/health/ready', undefined))).toBe(200)
    expect(await statusOf(ask(late, 'GET', new URL(url).pathname + new URL(url).search, undefined))).toBe(404)
  } finally {
    await late.stop()
  }
})
