import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { eventually } from './eventually.ts'
import { BOUNDARY, CONTENT_TYPE, multipartBody, type TestPart, uploadParts } from './multipart.ts'
import { connectRaw, head, type RawAnswer } from './raw-http.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

const wav = buildWav({ samples: 500 })

let app: RunningApp
let user: User
beforeAll(async () => {
  app = await startApp()
  user = await app.createUser()
})
afterAll(() => app?.stop())

/** Sends the body in pieces that end at `cuts`, so that the parser meets every kind of border. */
async function send(
  body: Buffer,
  contentType: string,
  cuts: readonly number[],
): Promise<RawAnswer | undefined> {
  const connection = await connectRaw(app.port)
  connection.socket.setNoDelay(true)
  const headers = { 'content-type': contentType, 'content-length': body.length }
  await connection.send(head(app.port, 'POST /record', headers))
  const borders = [...cuts.map((cut) => cut % (body.length + 1)), body.length].sort((a, b) => a - b)
  let from = 0
  for (const to of borders) {
    await connection.send(body.subarray(from, to))
    await new Promise((resolve) => setImmediate(resolve))
    from = to
  }
  const answer = await connection.answer()
  connection.socket.destroy()
  return answer
}

/** Either it was taken, with a row and a file, or it was refused as the client's fault with neither. */
async function expectAnswered(body: Buffer, contentType: string, cuts: readonly number[]): Promise<void> {
  const before = await app.stored()
  const answer = await send(body, contentType, cuts)
  const status = answer?.status ?? 0
  expect([202, 400, 401, 413, 415, 422]).toContain(status)
  const taken = status === 202 ? 1 : 0
  if (taken === 0) expect(answer?.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  await eventually(async () => {
    const after = await app.stored()
    expect(after.records).toBe(before.records + taken)
    expect(after.segments).toBe(before.segments + taken)
    expect(after.files).toHaveLength(before.files.length + taken)
  })
}

const cuts = fc.array(fc.nat(), { maxLength: 5 })

/** A good form with some of its bytes changed, left out, put in or cut off. */
const mutations = fc.array(
  fc.record({ at: fc.nat(), remove: fc.nat({ max: 40 }), insert: fc.uint8Array({ maxLength: 12 }) }),
  { maxLength: 4 },
)

function mutate(
  body: Buffer,
  changes: readonly { at: number; remove: number; insert: Uint8Array }[],
): Buffer {
  return changes.reduce((bytes, { at, remove, insert }) => {
    const start = at % (bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)])
  }, body)
}

it('a form with random damage is taken or refused, and leaves nothing behind', async () => {
  const structure = multipartBody(uploadParts(user, '')).length
  await fc.assert(
    fc.asyncProperty(mutations, cuts, fc.boolean(), async (changes, borders, inHead) => {
      const body = multipartBody(uploadParts(user, wav))
      const near = inHead ? changes.map((change) => ({ ...change, at: change.at % structure })) : changes
      await expectAnswered(mutate(body, near), CONTENT_TYPE, borders)
    }),
    { numRuns: 250 },
  )
})

const anyPart: fc.Arbitrary<TestPart> = fc.record(
  {
    name: fc.oneof(
      fc.constantFrom('user', 'token', 'file', '', '__proto__', 'constructor'),
      fc.string({ maxLength: 10 }).map((name) => name.replace(/[\r\n"]/g, '')),
    ),
    fileName: fc.string({ unit: 'binary', maxLength: 20 }).map((name) => name.replace(/[\r\n"]/g, '')),
    data: fc.oneof(fc.constant<string | Uint8Array>(wav), fc.string(), fc.uint8Array({ maxLength: 300 })),
    head: fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.constantFrom(
        'Content-Disposition: form-data; name',
        'Content-Disposition: form-data; name=user; name=token',
        'content-disposition: attachment; name="user"',
        'Content-Disposition: form-data; name="user"\r\nContent-Disposition: form-data; name="token"',
        'Content-Disposition: form-data; name="token"\r\nContent-Type: application/json',
        'Content-Disposition: form-data; name="file"\r\nContent-Type: application/octet-stream',
        'Content-Disposition: form-data; name="file"; filename*=UTF-8\'\'%D0%97.wav',
        'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Transfer-Encoding: base64',
        'Content-Type: text/plain; charset=nonsense\r\nContent-Disposition: form-data; name="user"',
        '\r\n\r\n',
        ': : :',
      ),
    ),
  },
  { requiredKeys: ['name', 'data'] },
)

it('a form of random parts in random order is taken or refused, and leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyPart, { maxLength: 5 }),
      fc.nat({ max: 5 }),
      cuts,
      async (parts, where, borders) => {
        const all = [...parts.slice(0, where), ...uploadParts(user, wav), ...parts.slice(where)]
        await expectAnswered(multipartBody(all), CONTENT_TYPE, borders)
        await expectAnswered(multipartBody(parts), CONTENT_TYPE, borders)
      },
    ),
    { numRuns: 120 },
  )
})

it('random boundaries are answered', async () => {
  const boundary = fc.oneof(
    fc.string({ maxLength: 300 }).map((text) => text.replace(/[\r\n\0]/g, '')),
    fc.constantFrom(
      '',
      '"',
      '""',
      '-',
      '--',
      '; boundary=x',
      '"a',
      ' ',
      '\u00e9',
      `${BOUNDARY}-`,
      'a'.repeat(252),
      'a'.repeat(253),
    ),
  )
  await fc.assert(
    fc.asyncProperty(boundary, cuts, async (text, borders) => {
      const contentType = `multipart/form-data; boundary=${Buffer.from(text)
        .toString('latin1')
        .replace(/[^\t\x20-\x7e\x80-\xff]/g, '')}`
      const body = Buffer.from(
        `--${text}\r\nContent-Disposition: form-data; name="user"\r\n\r\n1\r\n--${text}--\r\n`,
      )
      await expectAnswered(body, contentType, borders)
    }),
    { numRuns: 150 },
  )
})
