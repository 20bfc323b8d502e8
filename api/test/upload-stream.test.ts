import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { missing } from '../../test/support/requirement.ts'
import { buildWav } from '../../test/support/wav.ts'
import { eventually } from './eventually.ts'
import { BOUNDARY, CONTENT_TYPE, multipartBody, partOf, type TestPart, uploadParts } from './multipart.ts'
import { connectRaw, head, type RawConnection } from './raw-http.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

const run = promisify(execFile)
const MB = 1_048_576
const wav = buildWav()

const limits = { bodyPeriodMs: 1_000, minBodyBytes: 100, lingerMs: 500, lingerBytes: 4 * MB }
let app: RunningApp
let user: User
beforeAll(async () => {
  app = await startApp({ limits, settings: { maxUploadBytes: 2 * MB } })
  user = await app.createUser()
})
afterAll(() => app?.stop())

const connections: RawConnection[] = []
afterEach(() => {
  for (const { socket } of connections.splice(0)) socket.destroy()
})

/** Sends the head of an upload of `length` bytes, and what is given of its body. */
async function begin(length: number, ...pieces: readonly Uint8Array[]): Promise<RawConnection> {
  const connection = await connectRaw(app.port)
  connections.push(connection)
  await connection.send(
    head(app.port, 'POST /record', { 'content-type': CONTENT_TYPE, 'content-length': length }),
  )
  for (const piece of pieces) await connection.send(piece)
  return connection
}

/** The body up to somewhere in the file part. */
function upTo(parts: readonly TestPart[]): Buffer {
  return Buffer.concat(parts.map(partOf)).subarray(0, -2)
}

const nothingLeft = () => eventually(async () => expect((await app.stored()).files).toEqual(noFiles))
let noFiles: readonly string[] = []
beforeAll(async () => {
  noFiles = (await app.stored()).files
})

/** What was written of an upload that is still under way. */
async function draftBytes(): Promise<number[]> {
  return (await app.wavStore.list()).filter(({ temporary }) => temporary).map(({ bytes }) => bytes)
}

describe('an upload that is refused while it is arriving', () => {
  const [userPart, tokenPart] = [
    () => ({ name: 'user', data: user.id }),
    () => ({ name: 'token', data: user.token }),
  ]

  it('is told 415 after the first bytes of a file that is no WAV, with nothing written to disk', async () => {
    const file = { name: 'file', fileName: 'a.wav', data: 'ID3\x04 and so on' }
    const connection = await begin(500 * MB, upTo([userPart(), tokenPart(), file]))
    expect((await connection.answer())?.status).toBe(415)
    expect(await app.stored()).toMatchObject({ records: 0, files: noFiles })
  })

  it('is told 401 for a wrong token before the file begins', async () => {
    const connection = await begin(
      500 * MB,
      upTo([userPart(), { name: 'token', data: user.id }]),
      Buffer.from(`\r\n--${BOUNDARY}`),
    )
    expect((await connection.answer())?.status).toBe(401)
  })

  it('is told 413 at the limit, and what was written is gone', async () => {
    const file = { name: 'file', fileName: 'a.wav', data: buildWav({ samples: (2 * MB) / 4 }) }
    const connection = await begin(500 * MB, upTo([userPart(), tokenPart(), file]))
    expect((await connection.answer())?.status).toBe(413)
    await nothingLeft()
  })

  it('is told 413 also where no length was announced', async () => {
    const connection = await connectRaw(app.port)
    connections.push(connection)
    const headers = { 'content-type': CONTENT_TYPE, 'transfer-encoding': 'chunked' }
    await connection.send(head(app.port, 'POST /record', headers))
    const file = { name: 'file', fileName: 'a.wav', data: buildWav({ samples: (2 * MB) / 4 }) }
    const body = upTo([userPart(), tokenPart(), file])
    await connection.send(Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body]))
    expect((await connection.answer())?.status).toBe(413)
    await nothingLeft()
  })

  it('may go on to the end, and the connection serves the next request', async () => {
    const file = { name: 'file', fileName: 'a.wav', data: 'this is no WAV' }
    const body = upTo([userPart(), tokenPart(), file])
    const connection = await begin(body.length + MB, body)
    expect((await connection.answer())?.status).toBe(415)
    await connection.send(Buffer.alloc(MB))
    await connection.send(head(app.port, 'GET /health/live'))
    expect((await connection.answer())?.status).toBe(200)
  })

  it('is cut when far more comes than is worth reading', async () => {
    const file = { name: 'file', fileName: 'a.wav', data: 'this is no WAV' }
    const connection = await begin(500 * MB, upTo([userPart(), tokenPart(), file]))
    expect((await connection.answer())?.status).toBe(415)
    const flood = async () => {
      while (!connection.socket.destroyed) await connection.send(Buffer.alloc(MB))
    }
    await Promise.all([flood(), connection.closed])
  })

  it('is cut when the rest does not come', async () => {
    const file = { name: 'file', fileName: 'a.wav', data: 'this is no WAV' }
    const connection = await begin(500 * MB, upTo([userPart(), tokenPart(), file]))
    expect((await connection.answer())?.status).toBe(415)
    await connection.closed
  })

  it('reaches fetch, which reads the answer only after it has sent much', async () => {
    const body = Buffer.concat([
      upTo([userPart(), tokenPart(), { name: 'file', fileName: 'a', data: 'this is no WAV' }]),
      Buffer.alloc(3 * MB),
    ])
    for (let time = 0; time < 5; time += 1) {
      const answer = await fetch(`${app.baseUrl}/record`, {
        method: 'POST',
        headers: { 'content-type': CONTENT_TYPE },
        body,
      })
      expect(answer.status).toBe(415)
      expect(await answer.json()).toMatchObject({ code: 'not-wav' })
    }
  })

  it.skipIf(missing('curl'))(
    'reaches curl, with and without keep-alive, with and without 100-continue',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'wavemill-curl-'))
      try {
        const path = join(folder, 'big.wav')
        await writeFile(path, Buffer.alloc(40 * MB))
        const form = ['-F', `user=${user.id}`, '-F', `token=${user.token}`, '-F', `file=@${path}`]
        for (const extra of [[], ['-H', 'Connection: close'], ['-H', 'Expect:'], ['--http1.0']]) {
          const args = ['-sS', '-w', '%{http_code}', ...extra, ...form, `${app.baseUrl}/record`]
          const { stdout } = await run('curl', args)
          expect(stdout).toMatch(/"code":"not-wav".*415$/)
        }
      } finally {
        await rm(folder, { recursive: true })
      }
    },
  )
})

describe('an upload that breaks off', () => {
  const half = () => upTo(uploadParts(user, wav)).subarray(0, -9000)

  it('leaves no file and no row when the client goes away', async () => {
    const connection = await begin(MB, half())
    await eventually(async () => expect((await draftBytes())[0]).toBeGreaterThan(0))
    connection.socket.destroy()
    await nothingLeft()
    expect(await app.stored()).toMatchObject({ records: 0, segments: 0 })
  })

  it('leaves no file when the client resets the connection', async () => {
    const connection = await begin(MB, half())
    await eventually(async () => expect((await draftBytes())[0]).toBeGreaterThan(0))
    connection.socket.resetAndDestroy()
    await nothingLeft()
  })

  it('leaves no file when the client says that it is done in the middle, and is told 400', async () => {
    const connection = await begin(MB, half())
    await eventually(async () => expect((await draftBytes())[0]).toBeGreaterThan(0))
    connection.socket.end()
    expect((await connection.answer())?.status).toBe(400)
    await connection.closed
    await nothingLeft()
  })

  it('is cut with 408 when it stalls, and leaves no file', async () => {
    const connection = await begin(MB, half())
    const answer = await connection.answer()
    expect(answer?.status).toBe(408)
    expect(answer?.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ code: 'stalled-body' })
    await connection.closed
    await nothingLeft()
  })

  it('is cut also when it stalls after its file, before its last boundary', async () => {
    const connection = await begin(MB, multipartBody(uploadParts(user, wav)).subarray(0, -10))
    expect((await connection.answer())?.status).toBe(408)
    await connection.closed
    await nothingLeft()
  })

  it('is not cut while it is slow but moves', async () => {
    const body = multipartBody(uploadParts(user, wav))
    const before = await app.stored()
    const connection = await begin(body.length)
    const pieces = 24
    for (let index = 0; index < pieces; index += 1) {
      const step = Math.ceil(body.length / pieces)
      await connection.send(body.subarray(index * step, (index + 1) * step))
      await new Promise((resolve) => setTimeout(resolve, limits.bodyPeriodMs / 10))
    }
    expect((await connection.answer())?.status).toBe(202)
    noFiles = (await app.stored()).files
    expect(await app.stored()).toMatchObject({ records: before.records + 1 })
  })

  it('a body of JSON that stalls is cut too', async () => {
    const connection = await connectRaw(app.port)
    connections.push(connection)
    const headers = { 'content-type': 'application/json', 'content-length': 100 }
    await connection.send(`${head(app.port, 'POST /user', headers)}{"name":`)
    expect((await connection.answer())?.status).toBe(408)
    await connection.closed
  })
})

describe('uploads whose file comes before user and token', () => {
  /** Resolves when the file is being taken, or the upload was refused. */
  async function spool(): Promise<RawConnection> {
    const drafts = (await draftBytes()).length
    const connection = await begin(MB, upTo([{ name: 'file', fileName: 'a.wav', data: wav }]))
    const taken = eventually(async () => expect((await draftBytes()).length).toBeGreaterThan(drafts))
    await Promise.race([taken, connection.answer().then(() => taken.catch(() => {}))])
    return connection
  }

  it('are at most two from one address, and the third is told 429', async () => {
    await spool()
    await spool()
    const third = await begin(MB, upTo([{ name: 'file', fileName: 'a.wav', data: wav }]))
    const answer = await third.answer()
    expect(answer?.status).toBe(429)
    expect(Number(answer?.headers.get('retry-after'))).toBeGreaterThan(0)
    // One that says first whose it is has no such limit.
    const ordered = await fetch(`${app.baseUrl}/record`, {
      method: 'POST',
      headers: { 'content-type': CONTENT_TYPE },
      body: new Uint8Array(multipartBody(uploadParts(user, wav))),
    })
    expect(ordered.status).toBe(202)
    noFiles = (await app.stored()).files.filter((name) => !name.endsWith('.part'))
  })

  it('give their place back, however they end', async () => {
    await nothingLeft()
    for (let time = 0; time < 5; time += 1) {
      const parts = uploadParts(user, wav)
      const body = multipartBody([parts[2], parts[0], { name: 'token', data: user.id }])
      const refused = await begin(body.length, body)
      expect((await refused.answer())?.status).toBe(401)
      await nothingLeft()
      const broken = await spool()
      broken.socket.destroy()
      await nothingLeft()
    }
  })
})
