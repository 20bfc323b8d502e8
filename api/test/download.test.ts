import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { failRecord } from '@wavemill/prisma/fail-record'
import { deleteRecord, removeRecord } from '@wavemill/prisma/records'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { eventually } from './eventually.ts'
import { finishLinked, keyOf } from './finished-record.ts'
import { CONTENT_TYPE, multipartBody, post, uploadParts } from './multipart.ts'
import { connectRaw, exchange, head } from './raw-http.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

const wav = buildWav({ samples: 44_100 })

let app: RunningApp
let user: User
beforeAll(async () => {
  app = await startApp()
  user = await app.createUser()
})
afterAll(() => app?.stop())

interface Accepted {
  readonly id: string
  readonly status: string
  readonly url: string
  readonly statusUrl: string
}

async function upload(fileName = 'take 1.wav', data: Uint8Array = wav): Promise<Accepted> {
  const answer = await post(`${app.baseUrl}/record`, multipartBody(uploadParts(user, data, fileName)))
  expect(answer.status).toBe(202)
  return (await answer.json()) as Accepted
}

describe('the answer to an upload', () => {
  it('is 202 with the link exactly as it was asked for, Location and Retry-After', async () => {
    const answer = await post(`${app.baseUrl}/record`, multipartBody(uploadParts(user, wav)))
    expect(answer.status).toBe(202)
    const body = (await answer.json()) as Accepted
    const link = `http://127.0.0.1:${app.port}/record?id=${body.id}&user=${user.id}`
    expect(body).toEqual({
      id: body.id,
      status: 'queued',
      url: link,
      statusUrl: link.replace('/record?', '/record/status?'),
    })
    expect(body.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(answer.headers.get('location')).toBe(link)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  })

  it('takes the fields in any order, and the token as Bearer', async () => {
    const [userPart, token, file] = uploadParts(user, wav)
    for (const parts of [
      [userPart, token, file],
      [file, token, userPart],
      [token, file, userPart],
    ]) {
      expect((await post(`${app.baseUrl}/record`, multipartBody(parts))).status).toBe(202)
    }
    const headers = { authorization: `Bearer ${user.token.toUpperCase()}` }
    for (const parts of [
      [userPart, file],
      [file, userPart],
    ]) {
      expect((await post(`${app.baseUrl}/record`, multipartBody(parts), headers)).status).toBe(202)
    }
    const basic = { authorization: 'Basic YTpi' }
    expect((await post(`${app.baseUrl}/record`, multipartBody([userPart, token, file]), basic)).status).toBe(
      202,
    )
  })

  it('links to the host that the request named', async () => {
    const body = multipartBody(uploadParts(user, wav))
    const headers = {
      host: 'audio.example:9000',
      'content-type': CONTENT_TYPE,
      'content-length': body.length,
    }
    const answer = await exchange(
      app.port,
      Buffer.concat([Buffer.from(head(app.port, 'POST /record', headers)), body]),
    )
    expect(JSON.parse(answer?.body ?? '').url).toMatch(/^http:\/\/audio\.example:9000\/record\?id=/)
  })

  it('links to PUBLIC_URL where that is set', async () => {
    const other = await startApp({ settings: { publicUrl: 'https://wav.example/mill' } })
    try {
      const owner = await other.createUser()
      const answer = await post(`${other.baseUrl}/record`, multipartBody(uploadParts(owner, wav)))
      const { id, url } = (await answer.json()) as Accepted
      expect(url).toBe(`https://wav.example/mill/record?id=${id}&user=${owner.id}`)
    } finally {
      await other.stop()
    }
  })

  it('comes after the file, its rows and its job stand', async () => {
    const { url } = await upload()
    const key = await keyOf(app.db, url)
    expect(await app.wavStore.size(key)).toBe(wav.length)
    const record = await app.db.prisma.record.findUniqueOrThrow({
      where: { key },
      include: { segments: true },
    })
    expect(record).toMatchObject({
      userId: user.id,
      samples: 44_100n,
      channels: 2,
      wavBytes: BigInt(wav.length),
    })
    expect(Buffer.from(record.wavSha256)).toEqual(createHash('sha256').update(wav).digest())
    expect(record.segments).toMatchObject([{ startByte: 44n, endByte: BigInt(wav.length) }])
    expect(await app.queue.bull.getJob(`r${key}-s0`)).toMatchObject({
      data: { recordKey: String(key), seq: 0 },
    })
  })
})

describe('a link', () => {
  it('answers 202 with how far it is, until it is ready', async () => {
    const { url } = await upload()
    const answer = await fetch(url)
    expect(answer.status).toBe(202)
    const state = (await answer.json()) as { position: number; retryAfter: number }
    expect(state).toEqual({
      status: 'queued',
      progress: 0,
      position: expect.any(Number),
      estimatedSeconds: 1, // of a tone of a moment
      retryAfter: Number(answer.headers.get('retry-after')),
    })
    expect(state.retryAfter).toBeGreaterThan(0)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const { url: next } = await upload()
    expect(await (await fetch(next)).json()).toMatchObject({ position: state.position + 1 })
    const asHead = await fetch(url, { method: 'HEAD' })
    expect(asHead.status).toBe(202)
    expect(asHead.headers.get('retry-after')).toBe(String(state.retryAfter))
  })

  it('gives the MP3 once it is ready, whole, with all that a client needs to know', async () => {
    const { url } = await upload('My song.wav')
    const mp3 = randomBytes(19 * 1_048_576 + 12_345) // several windows
    await finishLinked(app.db, url, mp3)
    const sha256 = createHash('sha256').update(mp3).digest()
    const answer = await fetch(url)
    expect(answer.status).toBe(200)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'audio/mpeg',
      'content-length': String(mp3.length),
      'content-disposition': 'attachment; filename="My song.mp3"',
      etag: `"${sha256.toString('hex')}"`,
      'repr-digest': `sha-256=:${sha256.toString('base64')}:`,
      'accept-ranges': 'bytes',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cache-control': expect.stringContaining('private'),
    })
    const bytes = Buffer.from(await answer.arrayBuffer())
    expect(bytes.equals(mp3)).toBe(true)

    const asHead = await fetch(url, { method: 'HEAD' })
    expect(asHead.status).toBe(200)
    expect(asHead.headers.get('content-length')).toBe(String(mp3.length))
    expect(asHead.headers.get('content-type')).toBe('audio/mpeg')
    expect(await asHead.text()).toBe('')
  })

  it('ignores what people append to it', async () => {
    const { url } = await upload()
    expect((await fetch(`${url}&utm_source=mail&fbclid=1`)).status).toBe(202)
  })

  it.each([
    ['an unknown record', () => ({ id: randomUUID(), user: user.id })],
    ['an id that is no UUID', () => ({ id: '1', user: user.id })],
    ['an empty id', () => ({ id: '', user: user.id })],
    ['NUL', () => ({ id: '\0', user: '\0' })],
  ])('to %s is 404', async (_what, query) => {
    for (const path of ['/record', '/record/status']) {
      const answer = await fetch(`${app.baseUrl}${path}?${new URLSearchParams(query())}`)
      expect(answer.status).toBe(404)
      expect(await answer.json()).toMatchObject({ code: 'unknown-record' })
    }
  })

  it('to another user’s record is 404, and the token makes no difference', async () => {
    const other = await app.createUser()
    const { url, id } = await upload()
    const stranger = `${app.baseUrl}/record?id=${id}&user=${other.id}`
    const answer = await fetch(stranger, { headers: { authorization: `Bearer ${user.token}` } })
    expect(answer.status).toBe(404)
    expect((await fetch(url)).status).toBe(202)
  })

  it.each(['id', 'user'])('without %s, or with two, is 400 and names it', async (name) => {
    const query = new URLSearchParams({ id: randomUUID(), user: user.id })
    query.delete(name)
    for (const path of ['/record', '/record/status']) {
      const missing = await fetch(`${app.baseUrl}${path}?${query}`)
      expect(missing.status).toBe(400)
      expect(await missing.json()).toMatchObject({ code: 'missing-field', field: name })
      const doubled = await fetch(`${app.baseUrl}${path}?${query}&${name}=a&${name}=b`)
      expect(doubled.status).toBe(400)
      expect(await doubled.json()).toMatchObject({ field: name })
    }
  })

  it('to a recording that could not be transcoded is 422 with the reason', async () => {
    const { url, statusUrl } = await upload()
    await failRecord(app.db, {
      recordKey: await keyOf(app.db, url),
      code: 'undecodable',
      detail: 'ffmpeg said no.',
    })
    const answer = await fetch(url)
    expect(answer.status).toBe(422)
    const failure = { code: 'undecodable', reason: 'The audio could not be decoded. ffmpeg said no.' }
    expect(await answer.json()).toMatchObject({ code: 'transcoding-failed', detail: failure.reason, failure })
    const status = await fetch(statusUrl)
    expect(status.status).toBe(200)
    expect(await status.json()).toMatchObject({ status: 'failed', failure, mp3: null })
  })

  it.each(['deleted', 'expired'] as const)('to a recording that is %s is 410', async (how) => {
    const { url, statusUrl } = await upload()
    await removeRecord(app.db, await keyOf(app.db, url), how)
    for (const address of [url, statusUrl]) {
      const answer = await fetch(address)
      expect(answer.status).toBe(410)
      expect(await answer.json()).toMatchObject({ code: 'gone' })
    }
  })
})

describe('GET /record/status', () => {
  it('tells all that is known of a recording', async () => {
    const { id, url, statusUrl } = await upload('Запись 7.wav')
    const mp3 = randomBytes(1000)
    const source = {
      fileName: 'Запись 7.wav',
      codec: expect.stringContaining('16'),
      sampleRate: 44_100,
      channels: 2,
      bitsPerSample: 16,
      samples: 44_100,
      seconds: 1,
      bytes: wav.length,
      sha256: createHash('sha256').update(wav).digest('hex'),
    }
    const early = await (await fetch(statusUrl)).json()
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(early).toEqual({
      ...{ id, status: 'queued', progress: 0, warnings: [], source, mp3: null, failure: null },
      ...{ createdAt: time, startedAt: null, readyAt: null, expiresAt: null },
    })
    await finishLinked(app.db, url, mp3)
    expect(await (await fetch(statusUrl)).json()).toMatchObject({
      ...{ id, status: 'ready', progress: 1, source, failure: null },
      ...{ startedAt: time, readyAt: time },
      mp3: { bytes: 1000, sha256: createHash('sha256').update(mp3).digest('hex') },
    })
  })

  it('passes on what had to be guessed about the WAV', async () => {
    const { statusUrl } = await upload('a.wav', buildWav({ declared: { dataBytes: 999_999 } }))
    const { warnings } = (await (await fetch(statusUrl)).json()) as { warnings: string[] }
    expect(warnings).toEqual([expect.stringContaining('header promises')])
  })
})

describe('the name of a download', () => {
  it.each([
    ['take 1.wav', 'attachment; filename="take 1.mp3"'],
    ['TAKE.WAV', 'attachment; filename="TAKE.mp3"'],
    ['speech', 'attachment; filename="speech.mp3"'],
    ['a.b.mp3', 'attachment; filename="a.b.mp3.mp3"'],
    // RFC 8187: UTF-8, percent-encoded, beside a name that every client understands.
    [
      'Запись.wav',
      'attachment; filename="______.mp3"; filename*=UTF-8\'\'%D0%97%D0%B0%D0%BF%D0%B8%D1%81%D1%8C.mp3',
    ],
    ['\u{1f3b5}.wav', 'attachment; filename="__.mp3"; filename*=UTF-8\'\'%F0%9F%8E%B5.mp3'],
    ['50%25 of it.wav', 'attachment; filename="50_25 of it.mp3"; filename*=UTF-8\'\'50%2525%20of%20it.mp3'],
    ['C:\\music\\song.wav', 'attachment; filename="song.mp3"'],
    ['../../etc/passwd', 'attachment; filename="passwd.mp3"'],
    ['a\u202egnp.wav', 'attachment; filename="agnp.mp3"'],
    ['', 'attachment; filename="recording.mp3"'],
    ['..', 'attachment; filename="recording.mp3"'],
  ])('of "%s" is %s', async (fileName, disposition) => {
    const { url } = await upload(fileName)
    await finishLinked(app.db, url, randomBytes(200))
    const answer = await fetch(url)
    expect(answer.headers.get('content-disposition')).toBe(disposition)
    await answer.body?.cancel()
  })
})

describe('a download that does not end well', () => {
  const mp3 = randomBytes(40 * 1_048_576)

  it('breaks the connection when the recording is deleted meanwhile: half a file never looks whole', async () => {
    const { url } = await upload()
    const key = await finishLinked(app.db, url, mp3)
    const connection = await connectRaw(app.port)
    connection.socket.pause()
    await connection.send(head(app.port, `GET ${url.slice(app.baseUrl.length)}`))
    await eventually(() => expect(connection.socket.readableLength).toBeGreaterThan(0))
    await deleteRecord(app.db, key)
    connection.socket.resume()
    await connection.closed
    expect(await connection.answer()).toBeUndefined()
    expect(connection.rest()).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(connection.rest().length).toBeLessThan(mp3.length)
    expect(app.logs()).toContain('download broken off')
    connection.socket.destroy()
  })

  it('is 503 or 500, not half a file, where not even the first bytes are there', async () => {
    const { url } = await upload()
    const key = await finishLinked(app.db, url, randomBytes(3000))
    await app.db.prisma.chunk.deleteMany({ where: { recordKey: key } })
    const answer = await fetch(url)
    expect(answer.status).toBe(500)
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    const text = await answer.text()
    expect(JSON.parse(text)).toMatchObject({ code: 'internal' })
    expect(text).not.toContain('bytes')
  })

  it('frees its connection when the client goes away, and others are served', async () => {
    const { url } = await upload()
    await finishLinked(app.db, url, mp3)
    for (let time = 0; time < 10; time += 1) {
      const connection = await connectRaw(app.port)
      connection.socket.pause()
      await connection.send(head(app.port, `GET ${url.slice(app.baseUrl.length)}`))
      await eventually(() => expect(connection.socket.readableLength).toBeGreaterThan(0))
      connection.socket.destroy()
    }
    const answer = await fetch(url)
    expect(Buffer.from(await answer.arrayBuffer()).equals(mp3)).toBe(true)
  })

  it('holds no connection of the database while its client does not read', async () => {
    const { url } = await upload()
    await finishLinked(app.db, url, mp3)
    const lazy = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const connection = await connectRaw(app.port)
        connection.socket.pause()
        await connection.send(head(app.port, `GET ${url.slice(app.baseUrl.length)}`))
        await eventually(() => expect(connection.socket.readableLength).toBeGreaterThan(0))
        return connection
      }),
    )
    const answer = await fetch(url)
    expect(Buffer.from(await answer.arrayBuffer()).equals(mp3)).toBe(true)
    for (const { socket } of lazy) socket.destroy()
  })
})
