/** POST /record with the WAV itself as the body. */
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { eventually } from './eventually.ts'
import { keyOf } from './finished-record.ts'
import { connectRaw, exchange, head } from './raw-http.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

const wav = buildWav({ samples: 2205 })

let app: RunningApp
let ada: User
beforeAll(async () => {
  app = await startApp()
  ada = await app.createUser()
})
afterAll(() => app?.stop())

function send(
  query: string,
  { token = ada.token, type = 'audio/wav', body = wav, headers = {} }: Partial<Sending> = {},
): Promise<Response> {
  const authorization = token === '' ? {} : { authorization: `Bearer ${token}` }
  return fetch(`${app.baseUrl}/record${query}`, {
    method: 'POST',
    headers: { 'content-type': type, ...authorization, ...headers },
    body: new Uint8Array(body),
  })
}

interface Sending {
  readonly token: string
  readonly type: string
  readonly body: Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

async function accepted(answer: Response) {
  const text = await answer.text()
  expect(answer.status, text).toBe(202)
  const { url } = JSON.parse(text)
  return await app.db.prisma.record.findUniqueOrThrow({ where: { key: await keyOf(app.db, url) } })
}

describe('a raw upload', () => {
  it.each(['audio/wav', 'audio/x-wav', 'audio/wave', 'audio/vnd.wave', 'Audio/WAV', 'audio/wav; codecs=1'])(
    'of Content-Type %s is taken as a form with that file is',
    async (type) => {
      const answer = await send(`?user=${ada.id}`, { type })
      expect(answer.headers.get('location')).toMatch(/\/record\?id=[0-9a-f-]{36}&user=/)
      const record = await accepted(answer)
      expect(record).toMatchObject({ userId: ada.id, samples: 2205n, fileName: 'recording.wav' })
      expect(Buffer.from(record.wavSha256)).toEqual(createHash('sha256').update(wav).digest())
      expect(await app.wavStore.size(record.key)).toBe(wav.byteLength)
    },
  )

  it('has its options and tags in the query', async () => {
    const query = new URLSearchParams({ user: ada.id, quality: '5', title: 'Ночь & Tag', expires: '60' })
    const record = await accepted(await send(`?${query}`))
    expect(record.options).toMatchObject({ encode: { quality: 5 }, tags: { title: 'Ночь & Tag' } })
    expect(record.expiresAt).not.toBeNull()
  })

  it.each([
    ['the query', 'filename=take%202.wav', undefined, 'take 2.wav'],
    ['the query, without its path', 'filename=..%2F..%2Fetc%2Fpasswd.wav', undefined, 'passwd.wav'],
    ['the header', '', 'attachment; filename="take 3.wav"', 'take 3.wav'],
    [
      'the header, in any script',
      '',
      "attachment; filename*=UTF-8''%D0%9D%D0%BE%D1%87%D1%8C.wav",
      'Ночь.wav',
    ],
    [
      'the header, as curl sends what was typed',
      '',
      'attachment; filename="\xc3\xa9t\xc3\xa9.wav"',
      'été.wav',
    ],
    ['the header in Latin-1', '', 'attachment; filename="\xe9t\xe9.wav"', 'été.wav'],
    ['the query rather than the header', 'filename=a.wav', 'inline; filename="b.wav"', 'a.wav'],
    ['neither, where the header has none', '', 'attachment', 'recording.wav'],
  ])('has its file name from %s', async (_where, more, disposition, fileName) => {
    const headers: Record<string, string> =
      disposition === undefined ? {} : { 'content-disposition': disposition }
    const record = await accepted(await send(`?user=${ada.id}&${more}`, { headers }))
    expect(record.fileName).toBe(fileName)
  })

  it('may come in chunks, without a length', async () => {
    const connection = await connectRaw(app.port)
    const headers = {
      'content-type': 'audio/wav',
      authorization: `Bearer ${ada.token}`,
      'transfer-encoding': 'chunked',
    }
    await connection.send(head(app.port, `POST /record?user=${ada.id}`, headers))
    for (let start = 0; start < wav.length; start += 1_000) {
      const piece = wav.subarray(start, start + 1_000)
      await connection.send(`${piece.length.toString(16)}\r\n`)
      await connection.send(piece)
      await connection.send('\r\n')
    }
    await connection.send('0\r\n\r\n')
    expect((await connection.answer())?.status).toBe(202)
    connection.socket.destroy()
  })
})

describe('a raw upload is refused', () => {
  const user = () => `?user=${ada.id}`

  it.each([
    ['without a token', () => send(user(), { token: '' }), 400, { field: 'authorization' }],
    ['with a wrong token', () => send(user(), { token: randomUUID() }), 401, { code: 'unauthorized' }],
    [
      'with the token in the query',
      () => send(`${user()}&token=${ada.token}`),
      400,
      { code: 'unknown-field' },
    ],
    ['without a user', () => send(''), 400, { code: 'missing-field', field: 'user' }],
    [
      'with two users',
      () => send(`${user()}&user=${ada.id}`),
      400,
      { code: 'duplicate-field', field: 'user' },
    ],
    ['with a user that is none', () => send('?user=x'), 400, { code: 'bad-field', field: 'user' }],
    ['with a field that is none', () => send(`${user()}&volume=11`), 400, { field: 'volume' }],
    ['with a bad option', () => send(`${user()}&quality=11`), 400, { field: 'quality' }],
    ['with two of an option', () => send(`${user()}&quality=1&quality=1`), 400, { field: 'quality' }],
    [
      'with a bad Content-Disposition',
      () => send(user(), { headers: { 'content-disposition': 'attachment; filename=' } }),
      400,
      { code: 'bad-field', field: 'content-disposition' },
    ],
    ['as another type', () => send(user(), { type: 'audio/mpeg' }), 415, { code: 'unsupported-media-type' }],
    ['if it is no WAV', () => send(user(), { body: Buffer.from('hello') }), 415, { code: 'not-wav' }],
    ['if it is empty', () => send(user(), { body: Buffer.alloc(0) }), 415, { code: 'not-wav' }],
    [
      'if it is no WAV, and long',
      () => send(user(), { body: Buffer.alloc(5_000_000) }),
      415,
      { code: 'not-wav' },
    ],
    [
      'if it is too large',
      () => send(user(), { body: buildWav({ samples: 3_000_000 }) }),
      413,
      { code: 'too-large' },
    ],
  ])('%s, and nothing of it stays', async (_what, request, status, problem) => {
    const before = await app.stored()
    const answer = await request()
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ status, ...problem })
    expect(await app.stored()).toEqual(before)
  })

  it.each([
    ['a wrong token', () => `Bearer ${randomUUID()}`, 401],
    ['no token', () => 'Basic eDp5', 400],
  ])('for %s before its body has come', async (_what, authorization, status) => {
    const headers = {
      'content-type': 'audio/wav',
      authorization: authorization(),
      'content-length': 1_000_000,
    }
    const answer = await exchange(app.port, head(app.port, `POST /record${user()}`, headers))
    expect(answer?.status).toBe(status)
  })

  it('without an error of ours where its client is gone before it is looked at', async () => {
    const headers = {
      'content-type': 'audio/wav',
      authorization: `Bearer ${ada.token}`,
      'content-length': wav.length,
    }
    const aborts = Array.from({ length: 100 }, async () => {
      const { socket, send: write } = await connectRaw(app.port)
      void write(head(app.port, `POST /record${user()}`, headers))
      socket.destroySoon()
      await once(socket, 'close')
    })
    await Promise.all(aborts)
    await eventually(() => expect(app.logs().match(/"aborted":true/g)?.length).toBeGreaterThanOrEqual(100))
    const errors = app
      .logs()
      .split('\n')
      .filter((line) => line.includes('"level":50'))
    expect(errors).toEqual([])
  })

  it('if it is cut, and nothing of it stays', async () => {
    const before = await app.stored()
    const connection = await connectRaw(app.port)
    const headers = {
      'content-type': 'audio/wav',
      authorization: `Bearer ${ada.token}`,
      'content-length': wav.length,
    }
    await connection.send(head(app.port, `POST /record${user()}`, headers))
    await connection.send(wav.subarray(0, 2_000))
    connection.socket.end()
    await connection.closed
    connection.socket.destroy()
    expect(await app.stored()).toEqual(before)
  })
})
