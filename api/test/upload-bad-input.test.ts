import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildWav, wavHead } from '../../test/support/wav.ts'
import { BOUNDARY, CONTENT_TYPE, multipartBody, partOf, type TestPart, uploadParts } from './multipart.ts'
import { connectRaw, exchange, head, type RawAnswer } from './raw-http.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

const wav = buildWav()

let app: RunningApp
let ada: User
let bob: User
beforeAll(async () => {
  app = await startApp({ settings: { maxUploadBytes: 1_048_576 } })
  ada = await app.createUser()
  bob = await app.createUser()
})
afterAll(() => app?.stop())

/** Over a plain socket: what is tested is what the service does with the bytes, not what a client library makes of it. */
async function upload(
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<RawAnswer | undefined> {
  const all = { 'content-type': CONTENT_TYPE, ...headers, 'content-length': body.byteLength }
  return await exchange(app.port, Buffer.concat([Buffer.from(head(app.port, 'POST /record', all)), body]))
}

/** Expects the refusal, and that nothing was stored or left behind. */
async function expectRefusal(
  body: Uint8Array,
  expected: { status: number; code: string; field?: string; detail?: RegExp },
  headers: Record<string, string> = {},
): Promise<void> {
  const before = await app.stored()
  const answer = await upload(body, headers)
  expect(answer?.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  expect(answer?.headers.get('x-request-id')).toMatch(/./)
  const problem = JSON.parse(answer?.body ?? '')
  const { detail, ...members } = expected
  expect(problem).toMatchObject({ type: 'about:blank', title: expect.stringMatching(/./), ...members })
  if (detail !== undefined) expect(problem.detail).toMatch(detail)
  expect(answer?.status).toBe(expected.status)
  expect(await app.stored()).toEqual(before)
}

describe('credentials of an upload', () => {
  it.each(['user', 'token', 'file'])('refuses one without %s with 400 and names it', async (name) => {
    const parts = uploadParts(ada, wav).filter((part) => part.name !== name)
    await expectRefusal(multipartBody(parts), { status: 400, code: 'missing-field', field: name })
  })

  it.each([
    ['user', ''],
    ['user', 'ada'],
    ['user', `${randomUUID()}0`],
    ['token', ''],
    ['token', 'secret'],
    ['token', randomUUID().replaceAll('-', '')],
  ])('refuses a %s that is no UUID with 400 and names it: "%s"', async (name, data) => {
    const parts = uploadParts(ada, wav).map((part) => (part.name === name ? { name, data } : part))
    await expectRefusal(multipartBody(parts), { status: 400, code: 'bad-field', field: name })
  })

  it.each([
    ['file last', [0, 1, 2]],
    ['file first', [2, 0, 1]],
    ['file in the middle', [1, 2, 0]],
  ])(
    'refuses an unknown user and another user’s token with 401 and the same text, %s',
    async (_order, order) => {
      const details: unknown[] = []
      for (const user of [
        { id: randomUUID(), token: ada.token },
        { id: ada.id, token: bob.token },
        { id: ada.id, token: randomUUID() },
      ]) {
        const parts = uploadParts(user, wav)
        const body = multipartBody(order.flatMap((index) => parts[index] ?? []))
        await expectRefusal(body, { status: 401, code: 'unauthorized' })
        const answer = await upload(body)
        expect(answer?.headers.get('www-authenticate')).toBe('Bearer')
        details.push(JSON.parse(answer?.body ?? '').detail)
      }
      expect(new Set(details).size).toBe(1)
    },
  )

  it('refuses a wrong Bearer token with 401 before the file is taken', async () => {
    const body = multipartBody([
      { name: 'user', data: ada.id },
      { name: 'file', fileName: 'a.wav', data: 'no WAV' },
    ])
    await expectRefusal(
      body,
      { status: 401, code: 'unauthorized' },
      { authorization: `Bearer ${randomUUID()}` },
    )
  })

  it('refuses a Bearer token that is no UUID with 400', async () => {
    const expected = { status: 400, code: 'bad-field', field: 'authorization' }
    await expectRefusal(multipartBody(uploadParts(ada, wav)), expected, { authorization: 'Bearer secret' })
  })

  it('refuses a token that comes both as a field and as a header', async () => {
    const expected = { status: 400, code: 'duplicate-field', field: 'token' }
    const headers = { authorization: `Bearer ${ada.token}` }
    await expectRefusal(multipartBody(uploadParts(ada, wav)), expected, headers)
  })
})

describe('fields of an upload', () => {
  it.each(['user', 'token', 'file'])('refuses %s given twice with 400', async (name) => {
    const parts = uploadParts(ada, wav)
    const again = parts.filter((part) => part.name === name)
    const expected = { status: 400, code: 'duplicate-field', field: name }
    await expectRefusal(multipartBody([...parts, ...again]), expected)
    await expectRefusal(multipartBody([...again, ...again, ...parts]), expected)
  })

  it.each<[string, TestPart, Partial<{ code: string; field: string }>]>([
    ['an unknown field', { name: 'speed', data: '2' }, { code: 'unknown-field', field: 'speed' }],
    [
      'a second file by another name',
      { name: 'file2', fileName: 'b.wav', data: wav },
      { code: 'unknown-field' },
    ],
    ['a field that is called like a method', { name: 'toString', data: '1' }, { code: 'malformed-body' }],
    ['__proto__', { name: '__proto__', data: '1' }, { code: 'malformed-body' }],
    [
      'a part without a name',
      { name: '', data: '1', head: 'Content-Disposition: form-data' },
      { code: 'unknown-field' },
    ],
    ['a field with an empty name', { name: '', data: '1' }, { code: 'unknown-field' }],
    ['a very long name', { name: 'x'.repeat(5000), data: '1' }, { code: 'unknown-field' }],
  ])('refuses %s with 400', async (_what, part, expected) => {
    await expectRefusal(multipartBody([...uploadParts(ada, wav), part]), {
      status: 400,
      code: 'unknown-field',
      ...expected,
    })
  })

  it('refuses a file that is sent as a text field', async () => {
    const [user, token] = uploadParts(ada, wav)
    const expected = { status: 400, code: 'bad-field', field: 'file' }
    await expectRefusal(multipartBody([user, token, { name: 'file', data: 'RIFF' }]), expected)
  })

  it('refuses a token that is sent as a file, or as JSON, or is endless', async () => {
    const [user, , file] = uploadParts(ada, wav)
    const json = `Content-Disposition: form-data; name="token"\r\nContent-Type: application/json`
    const tokens: TestPart[] = [
      { name: 'token', fileName: 'token.txt', data: ada.token },
      { name: 'token', head: json, data: '{"a":1}' },
      { name: 'token', data: 'x'.repeat(100_000) },
    ]
    for (const token of tokens) {
      const expected = { status: 400, code: 'bad-field', field: 'token' }
      await expectRefusal(multipartBody([user, token, file]), expected)
    }
  })

  it('refuses a thousand fields at the first that is wrong', async () => {
    const many = Array.from({ length: 1000 }, (_, index) => ({ name: `f${index}`, data: '1' }))
    await expectRefusal(multipartBody(many), { status: 400, code: 'unknown-field', field: 'f0' })
  })
})

describe('the first fault in the stream decides', () => {
  it.each<[string, (parts: [TestPart, TestPart, TestPart]) => TestPart[], { status: number; code: string }]>([
    [
      'a wrong token before a file that is no WAV',
      ([user, , file]) => [user, { name: 'token', data: randomUUID() }, { ...file, data: 'no WAV at all' }],
      { status: 401, code: 'unauthorized' },
    ],
    [
      'a file that is no WAV before a wrong token',
      ([user, , file]) => [{ ...file, data: 'no WAV at all' }, user, { name: 'token', data: randomUUID() }],
      { status: 415, code: 'not-wav' },
    ],
    [
      'an unknown field before a wrong token',
      ([user]) => [{ name: 'x', data: '1' }, user, { name: 'token', data: randomUUID() }],
      { status: 400, code: 'unknown-field' },
    ],
    [
      'a wrong token and then no file',
      ([user]) => [user, { name: 'token', data: randomUUID() }],
      { status: 401, code: 'unauthorized' },
    ],
  ])('%s', async (_what, choose, expected) => {
    await expectRefusal(multipartBody(choose(uploadParts(ada, wav))), expected)
  })
})

describe('files that are no recording', () => {
  const id3 = Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\x0a'), Buffer.alloc(100)])
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
  const avi = Buffer.from('RIFF\x24\0\0\0AVI LIST')

  it.each<[string, string | Uint8Array, RegExp]>([
    ['an MP3 with a tag', id3, /MP3/],
    ['an MP3 without one', Buffer.from('fffb9064000000000000000000000000', 'hex'), /MP3/],
    ['a text', 'Dear Sir or Madam,\n', /text/],
    ['a PNG', png, /PNG/],
    ['an empty file', '', /./],
    ['a RIFF that is not WAVE', avi, /AVI/],
    ['eleven bytes of a WAV', wav.subarray(0, 11), /./],
  ])('refuses %s that calls itself .wav with 415', async (_what, data, detail) => {
    const body = multipartBody(uploadParts(ada, data, 'song.wav'))
    await expectRefusal(body, { status: 415, code: 'not-wav', detail })
  })

  it('refuses playlists that call themselves .wav, and visits no address in them', async () => {
    const visits: string[] = []
    const server = createServer((socket) => {
      visits.push('visited')
      socket.destroy()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const url = `http://127.0.0.1:${port}/secret.wav`
    const playlists = [
      `#EXTM3U\n#EXTINF:1,\n${url}\n`,
      `[playlist]\nFile1=${url}\n`,
      `ffconcat version 1.0\nfile ${url}\n`,
    ]
    for (const playlist of playlists) {
      const body = multipartBody(uploadParts(ada, playlist, 'list.wav'))
      await expectRefusal(body, { status: 415, code: 'not-wav' })
    }
    server.close()
    await once(server, 'close')
    expect(visits).toEqual([])
  })

  it('refuses a codec that nobody here decodes with 415 and says which', async () => {
    const mp3 = buildWav({ format: { tag: 0x0055 } })
    const body = multipartBody(uploadParts(ada, mp3))
    await expectRefusal(body, { status: 415, code: 'unsupported-codec', detail: /MP3/ })
  })

  it.each<[string, Uint8Array, string]>([
    ['with no audio', wavHead({ samples: 0 }), 'no-audio'],
    ['with less than one sample', buildWav({ samples: 1 }).subarray(0, 46), 'no-audio'],
    ['cut after RIFF....WAVE', wav.subarray(0, 12), 'cut-header'],
    ['cut in its format', wav.subarray(0, 30), 'cut-header'],
    ['cut before its audio', wav.subarray(0, 40), 'cut-header'],
  ])('refuses a WAV %s with 422', async (_what, data, code) => {
    await expectRefusal(multipartBody(uploadParts(ada, data)), { status: 422, code })
  })

  it('refuses a file of one byte more than the limit with 413, and takes one of exactly the limit', async () => {
    const whole = buildWav({ samples: (1_048_576 - 44) / 4 })
    expect(whole.length).toBe(1_048_576)
    const larger = Buffer.concat([whole, Buffer.from([0])])
    await expectRefusal(multipartBody(uploadParts(ada, larger)), {
      status: 413,
      code: 'too-large',
      detail: /1 MB/,
    })
    expect((await upload(multipartBody(uploadParts(ada, whole))))?.status).toBe(202)
  })
})

describe('bodies that are no form', () => {
  const good = () => multipartBody(uploadParts(ada, wav))

  it.each<[string, string]>([
    ['application/json', '{"user":1}'],
    ['application/json', '{"user":'],
    ['application/x-www-form-urlencoded', 'user=1'],
    ['text/plain', 'hello'],
    ['multipart/mixed; boundary=x', '--x--'],
    ['nonsense', 'x'],
  ])('refuses Content-Type %s with 415', async (contentType, body) => {
    const expected = { status: 415, code: 'unsupported-media-type' }
    await expectRefusal(Buffer.from(body), expected, { 'content-type': contentType })
  })

  it('refuses a request with no body and no Content-Type with 415', async () => {
    const answer = await exchange(app.port, head(app.port, 'POST /record', { 'content-length': 0 }))
    expect(answer?.status).toBe(415)
  })

  it.each<[string, string]>([
    ['without a boundary', 'multipart/form-data'],
    ['with a boundary of 300 characters', `multipart/form-data; boundary=${'b'.repeat(300)}`],
  ])('refuses a form %s with 400', async (_what, contentType) => {
    const expected = { status: 400, code: 'malformed-body' }
    await expectRefusal(good(), expected, { 'content-type': contentType })
  })

  it.each<[string, () => Uint8Array]>([
    ['that ends in the middle of the file', () => good().subarray(0, -2000)],
    ['that ends in the middle of a field', () => good().subarray(0, 120)],
    ['that ends before its last boundary', () => good().subarray(0, -BOUNDARY.length - 8)],
    ['without any boundary', () => Buffer.from('user=1&token=2')],
    [
      'whose part has a broken head',
      () =>
        multipartBody([{ name: 'x', data: '1', head: 'no colon here' }, ...uploadParts(ada, wav).slice(1)]),
    ],
  ])('refuses a form %s with 400', async (_what, body) => {
    const before = await app.stored()
    const answer = await upload(body())
    expect(answer?.status).toBe(400)
    expect(answer?.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(await app.stored()).toEqual(before)
  })

  it('refuses an empty form', async () => {
    await expectRefusal(Buffer.from(`--${BOUNDARY}--\r\n`), {
      status: 400,
      code: 'missing-field',
      field: 'user',
    })
  })

  it('refuses a form whose length is a lie: more bytes than are sent', async () => {
    const body = good()
    const all = { 'content-type': CONTENT_TYPE, 'content-length': body.length + 1000 }
    const before = await app.stored()
    const connection = await connectRaw(app.port)
    await connection.send(head(app.port, 'POST /record', all))
    await connection.send(partOf({ name: 'user', data: ada.id }))
    connection.socket.end()
    const answer = await connection.answer()
    expect(answer?.status).toBe(400)
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ code: 'malformed-body' })
    expect(answer?.headers.get('x-request-id')).toMatch(/./)
    await connection.closed
    expect(await app.stored()).toEqual(before)
  })
})
