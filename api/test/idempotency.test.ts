/** Idempotency-Key: an upload that is sent again leads to one record, and a key that came to nothing is free. */
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { digestOptions } from '../src/store-once.ts'
import { createUploadOptions, type OptionField } from '../src/upload-options.ts'
import { eventually } from './eventually.ts'
import { keyOf } from './finished-record.ts'
import { type KeyedUpload, send, sendHalf, sendHead, ways } from './keyed-upload.ts'
import { CONTENT_TYPE, multipartBody, post, uploadParts } from './multipart.ts'
import { ask } from './own-user.ts'
import { exchange, head, type RawConnection } from './raw-http.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

const wav = buildWav({ samples: 4_410 })
const otherWav = buildWav({ samples: 4_411 })

let app: RunningApp
let ada: User
let bob: User
beforeAll(async () => {
  app = await startApp({ limits: { keyHoldMs: 600 } })
  ada = await app.createUser()
  bob = await app.createUser()
})
afterAll(() => app?.stop())

const connections: RawConnection[] = []
afterEach(() => {
  for (const { socket } of connections.splice(0)) socket.destroy()
})

function keyed(upload: Partial<KeyedUpload> = {}): KeyedUpload {
  return { user: ada, wav, key: randomUUID(), ...upload }
}

/** An answer with all that a repetition must have again. */
async function answerTo(upload: KeyedUpload, baseUrl = app.baseUrl) {
  const answer = await send(baseUrl, upload)
  const body: unknown = await answer.json()
  return {
    status: answer.status,
    isRepeated: answer.headers.get('idempotency-replayed'),
    retryAfter: answer.headers.get('retry-after'),
    first: { body, location: answer.headers.get('location') },
    body,
  }
}

/** Of one that stops in the middle, once it holds its key. */
async function half(upload: KeyedUpload) {
  const connection = await sendHalf(app.port, upload)
  connections.push(connection)
  await eventually(async () => expect(await holdOf(upload.key)).toBeDefined())
  return connection
}

async function holdOf(key: string): Promise<Date | undefined> {
  const row = await app.db.prisma.idempotencyKey.findFirst({ where: { key, recordKey: null } })
  return row?.expiresAt
}

const temporaryFiles = async () => (await app.stored()).files.filter((name) => name.endsWith('.part'))
const inProgress = { status: 409, retryAfter: '5', body: { code: 'key-in-progress' } }
const reused = { status: 422, isRepeated: null, body: { code: 'key-reused' } }

describe.each(ways)('as %s', (way) => {
  it('the same again gets the first answer again, and nothing more is stored', async () => {
    const upload = keyed({ way, options: { quality: '4', title: 'Ночь', expires: '86400' } })
    const { first, ...accepted } = await answerTo(upload)
    expect(accepted).toMatchObject({ status: 202, isRepeated: null })
    const before = await app.stored()
    for (let time = 0; time < 2; time++) {
      const repeated = await answerTo(upload)
      expect(repeated).toMatchObject({ status: 202, isRepeated: 'true', retryAfter: '1', first })
    }
    expect(await app.stored()).toEqual(before)
  })

  it.each<[string, Partial<KeyedUpload>]>([
    ['other content', { wav: otherWav }],
    ['another option', { options: { quality: '5' } }],
    ['an option less', { options: {} }],
    ['an option more', { options: { quality: '4', title: 'Night' } }],
    ['another expiry', { options: { quality: '4', expires: '60' } }],
  ])('with %s it is 422, and nothing more is stored', async (_what, change) => {
    const upload = keyed({ way, options: { quality: '4' } })
    expect((await answerTo(upload)).status).toBe(202)
    const before = await app.stored()
    expect(await answerTo({ ...upload, ...change })).toMatchObject(reused)
    expect(await app.stored()).toEqual(before)
    expect((await answerTo(upload)).isRepeated).toBe('true') // it is still the first one's
  })

  it('while it is under way the same key is 409, before the body has come, however long that takes', async () => {
    const upload = keyed({ way })
    const running = await half(upload)
    const first = await holdOf(upload.key)
    await eventually(async () => {
      const now = await holdOf(upload.key)
      expect(Number(now) - Number(first)).toBeGreaterThan(1_200) // renewed for more than two holds
    })
    const refused = await sendHead(app.port, { ...upload, way: 'a raw body' })
    connections.push(refused)
    const answer = await refused.answer()
    expect(answer?.status).toBe(409)
    expect(answer?.headers.get('retry-after')).toBe('5')
    await running.finish()
    expect((await running.answer())?.status).toBe(202)
    expect(await answerTo(upload)).toMatchObject({ status: 202, isRepeated: 'true' })
  })

  it('one that breaks off can be sent again', async () => {
    const upload = keyed({ way })
    const broken = await half(upload)
    broken.socket.destroy()
    await eventually(async () => expect(await holdOf(upload.key)).toBeUndefined())
    expect(await answerTo(upload)).toMatchObject({ status: 202, isRepeated: null })
  })

  it('of twenty at once exactly one makes a record; the others are told 409, or the first answer', async () => {
    const upload = keyed({ way })
    const { records } = await app.stored()
    const answers = await Promise.all(Array.from({ length: 20 }, () => answerTo(upload)))
    expect((await app.stored()).records).toBe(records + 1)
    expect(answers.filter((answer) => answer.status === 202 && answer.isRepeated === null)).toHaveLength(1)
    for (const answer of answers) {
      if (answer.status === 202)
        expect(answer.first).toEqual(answers.find(({ status }) => status === 202)?.first)
      else expect(answer).toMatchObject(inProgress)
    }
    expect(await temporaryFiles()).toEqual([])
  })

  it.each<[number, Partial<KeyedUpload>]>([
    [415, { wav: Buffer.from('this is no WAV') }],
    [422, { wav: wav.subarray(0, 40) }],
    [400, { options: { quality: '11' } }],
    [413, { wav: buildWav({ samples: 3_000_000 }) }],
  ])('after a refusal by %d it can be used for another upload at once', async (status, change) => {
    const upload = keyed({ way })
    expect((await answerTo({ ...upload, ...change })).status).toBe(status)
    expect(await answerTo(upload)).toMatchObject({ status: 202, isRepeated: null })
  })
})

describe('a key', () => {
  it('belongs to its user', async () => {
    const upload = keyed()
    const [of, another] = [await answerTo(upload), await answerTo({ ...upload, user: bob, wav: otherWav })]
    expect([of.status, another.status]).toEqual([202, 202])
    expect(another.isRepeated).toBeNull()
    expect((await answerTo(upload)).first).toEqual(of.first)
  })

  it('is the same for a form and a raw body, and whatever the file is called', async () => {
    const upload = keyed({ way: 'a form', options: { quality: '4', artist: 'Ada' } })
    const { first } = await answerTo(upload)
    const options = { artist: ' Ada ', quality: '4' }
    const repeated = await answerTo({ ...upload, way: 'a raw body', options, fileName: 'take 2.wav' })
    expect(repeated).toMatchObject({ status: 202, isRepeated: 'true', first })
  })

  it('is the same with and without the quotes of a structured field', async () => {
    const upload = keyed({ key: `two "quotes" \\ ${randomUUID()}` })
    const { first } = await answerTo(upload)
    const quoted = `"${upload.key.replace(/["\\]/g, '\\$&')}"`
    expect(await answerTo({ ...upload, key: quoted })).toMatchObject({ isRepeated: 'true', first })
  })

  it('may have 255 characters, and any of printable ASCII', async () => {
    const ascii = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index)).trim()
    for (const key of ['x'.repeat(255), ascii, `"${'y'.repeat(255)}"`])
      expect((await answerTo(keyed({ key }))).status).toBe(202)
  })

  it.each([
    ['empty', ''],
    ['empty in its quotes', '""'],
    ['too long', 'x'.repeat(256)],
    ['too long in its quotes', `"${'x'.repeat(256)}"`],
    ['not ASCII', 'cl\xe9'],
    ['not printable', 'a\tb'],
    ['without its second quote', '"abc'],
    ['quoted, with more behind it', '"abc"; a=1'],
  ])('that is %s is a 400 that names it, and nothing is stored', async (_what, key) => {
    const before = await app.stored()
    const headers = { 'content-type': CONTENT_TYPE, 'idempotency-key': key }
    const body = multipartBody(uploadParts(ada, wav))
    const request = head(app.port, 'POST /record', { ...headers, 'content-length': body.length })
    const answer = await exchange(app.port, Buffer.concat([Buffer.from(request, 'latin1'), body]))
    expect(answer?.status).toBe(400)
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ code: 'bad-field', field: 'idempotency-key' })
    expect(await app.stored()).toEqual(before)
  })

  it('that comes twice is a 400', async () => {
    const headers = { 'content-type': CONTENT_TYPE, 'content-length': 0, 'idempotency-key': 'a' }
    const request = head(app.port, 'POST /record', headers).replace(
      '\r\n\r\n',
      '\r\nIdempotency-Key: a\r\n\r\n',
    )
    const answer = await exchange(app.port, request)
    expect(answer?.status).toBe(400)
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({
      code: 'duplicate-field',
      field: 'idempotency-key',
    })
  })

  it('counts also where the token comes last in the form', async () => {
    const key = randomUUID()
    const [userPart, token, file] = uploadParts(ada, wav)
    const upload = (...parts: Parameters<typeof multipartBody>[0]) =>
      post(`${app.baseUrl}/record`, multipartBody(parts), { 'idempotency-key': key })
    const first = await upload(file, userPart, token)
    expect(first.status).toBe(202)
    const before = await app.stored()
    const second = await upload(file, token, userPart)
    expect([second.status, second.headers.get('idempotency-replayed')]).toEqual([202, 'true'])
    expect(await second.json()).toEqual(await first.json())
    const other = await upload({ ...file, data: otherWav }, userPart, token)
    expect(other.status).toBe(422)
    expect(await app.stored()).toEqual(before)
  })

  it('of a wrong token tells nothing', async () => {
    const upload = keyed()
    await answerTo(upload)
    expect(await answerTo({ ...upload, user: { ...ada, token: randomUUID() } })).toMatchObject({
      status: 401,
    })
  })

  it('that expired after 24 hours is as good as new', async () => {
    const upload = keyed()
    const { first } = await answerTo(upload)
    await app.db.prisma.idempotencyKey.updateMany({
      where: { key: upload.key },
      data: { expiresAt: new Date() },
    })
    const again = await answerTo({ ...upload, wav: otherWav })
    expect(again).toMatchObject({ status: 202, isRepeated: null })
    expect(again.first).not.toEqual(first)
  })
})

describe('a repetition', () => {
  it.each(['deleted', 'expired'] as const)(
    'of an upload whose record was %s brings nothing back: the first answer, and 410 at its link',
    async (how) => {
      const upload = keyed()
      const { first } = await answerTo(upload)
      const url = first.location ?? ''
      if (how === 'deleted') await ask(app, 'DELETE', url.slice(app.baseUrl.length), ada.token)
      else {
        const key = await keyOf(app.db, url)
        await app.db.prisma.record.update({ where: { key }, data: { expiresAt: new Date() } })
      }
      expect(await answerTo(upload)).toMatchObject({ status: 202, isRepeated: 'true', first })
      expect((await fetch(url)).status).toBe(410)
      expect(await answerTo({ ...upload, wav: otherWav })).toMatchObject(reused)
    },
  )

  it('is answered also where the user has no room for another recording', async () => {
    const small = await startApp({ settings: { quotaRecordings: 1 } })
    try {
      const upload = keyed({ user: await small.createUser() })
      const { first } = await answerTo(upload, small.baseUrl)
      expect(await answerTo(upload, small.baseUrl)).toMatchObject({ status: 202, isRepeated: 'true', first })
      const refused = await answerTo({ ...upload, key: randomUUID() }, small.baseUrl)
      expect(refused.status).toBeGreaterThanOrEqual(400)
    } finally {
      await small.stop()
    }
  })

  it('of a user who was deleted meanwhile is 401, and their keys are gone', async () => {
    const user = await app.createUser()
    const upload = keyed({ user })
    expect((await answerTo(upload)).status).toBe(202)
    await ask(app, 'DELETE', `/user?user=${user.id}`, user.token)
    expect((await answerTo(upload)).status).toBe(401)
    expect(await app.db.prisma.idempotencyKey.count({ where: { userId: user.id } })).toBe(0)
  })
})

it('an upload goes on while the database is away, and holds its key again when it is back', async () => {
  const upload = keyed()
  const running = await half(upload)
  await app.databaseProxy.cut()
  await eventually(async () => expect(Number(await holdOf(upload.key))).toBeLessThan(Date.now()))
  await app.databaseProxy.restore()
  await eventually(async () => expect(Number(await holdOf(upload.key))).toBeGreaterThan(Date.now()))
  expect(await answerTo(upload)).toMatchObject(inProgress)
  await running.finish()
  expect((await running.answer())?.status).toBe(202)
  expect(await answerTo(upload)).toMatchObject({ status: 202, isRepeated: 'true' })
})

it.each([
  ['the same content gets the answer of the other one', wav, 202],
  ['other content is refused', otherWav, 422],
])('an upload whose hold lapsed, and whose key another one used: %s', async (_what, content, status) => {
  const upload = keyed()
  const slow = await half(upload)
  const faster = keyed({ wav: content })
  const { body } = await answerTo(faster)
  // As if the faster one had come with the same key, to another process.
  await app.db.prisma.$transaction([
    app.db.prisma.idempotencyKey.deleteMany({ where: { key: upload.key } }),
    app.db.prisma.idempotencyKey.updateMany({ where: { key: faster.key }, data: { key: upload.key } }),
  ])
  const before = await app.stored()
  await slow.finish()
  const answer = await slow.answer()
  expect(answer?.status).toBe(status)
  if (status === 202) expect(JSON.parse(answer?.body ?? '')).toEqual(body)
  const { files, ...rows } = before
  expect(await app.stored()).toEqual({ ...rows, files: files.filter((name) => !name.endsWith('.part')) })
})

const givenOptions = fc.record(
  {
    quality: fc.integer({ min: 0, max: 9 }).map(String),
    channels: fc.constantFrom('1', '2'),
    sampleRate: fc.constantFrom('44100', '48000'),
    title: fc.constantFrom('a', 'b', ' a', 'quality'),
    artist: fc.constantFrom('a', 'b', ''),
    expires: fc.constantFrom('60', '060', '61', '2999-01-01T00:00:00Z', '2999-01-01T01:00:00+01:00'),
  },
  { requiredKeys: [] },
)

function noted(options: Readonly<Record<string, string>>, order = Object.keys(options)) {
  const upload = createUploadOptions()
  for (const field of order) upload.note(field as OptionField, options[field] ?? '')
  return { encode: upload.encode, tags: upload.tags, expiry: upload.expiry }
}

it('options have one digest in whatever order they come, and as many as there are differences', () => {
  fc.assert(
    fc.property(
      givenOptions.chain((one) =>
        fc.record({
          one: fc.constant(one),
          shuffled: fc.shuffledSubarray(Object.keys(one), { minLength: Object.keys(one).length }),
          other: fc.oneof(givenOptions, fc.constant(one)),
        }),
      ),
      ({ one, shuffled, other }) => {
        const digest = digestOptions(noted(one))
        expect(digestOptions(noted(one, shuffled))).toEqual(digest)
        const isSame = JSON.stringify(noted(one)) === JSON.stringify(noted(other))
        expect(digestOptions(noted(other)).equals(digest)).toBe(isSame)
      },
    ),
  )
})
