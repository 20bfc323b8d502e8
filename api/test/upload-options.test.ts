/** Options and tags of an upload: where they may stand, what is refused and how, and what is kept of them. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { finishLinked, keyOf } from './finished-record.ts'
import { multipartBody, post, type TestPart, uploadParts } from './multipart.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

const wav = buildWav()

let app: RunningApp
let ada: User
beforeAll(async () => {
  app = await startApp()
  ada = await app.createUser()
})
afterAll(() => app?.stop())

const fields = (options: Readonly<Record<string, string>>): TestPart[] =>
  Object.entries(options).map(([name, data]) => ({ name, data }))

async function upload(parts: readonly TestPart[]): Promise<Response> {
  return await post(`${app.baseUrl}/record`, multipartBody(parts))
}

async function accepted(
  parts: readonly TestPart[],
): Promise<{ url: string; options: unknown; frames: number }> {
  const answer = await upload(parts)
  const body = await answer.text()
  expect(answer.status, body).toBe(202)
  const { url } = JSON.parse(body)
  const key = await keyOf(app.db, url)
  const { options, segments } = await app.db.prisma.record.findUniqueOrThrow({
    where: { key },
    include: { segments: true },
  })
  return { url, options, frames: segments.reduce((sum, { frames }) => sum + frames, 0) }
}

async function expectRefusal(parts: readonly TestPart[], expected: Record<string, unknown>): Promise<void> {
  const before = await app.stored()
  const answer = await upload(parts)
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ code: 'bad-field', ...expected })
  expect(await app.stored()).toEqual(before)
}

describe('options that are taken', () => {
  const all = {
    ...{
      quality: '5',
      channels: '1',
      sampleRate: '22050',
      title: 'Ночь',
      artist: 'Cafe\u0301',
      album: 'A/B',
    },
    ...{ date: '2024-02-29', comment: '"50 %" & more', genre: 'Field recording' },
  }

  it.each([
    ['before the file', (parts: TestPart[]) => [...fields(all), ...parts]],
    ['after the file', (parts: TestPart[]) => [...parts, ...fields(all)]],
    [
      'on both sides of it',
      (parts: TestPart[]) => [...fields(all).slice(3), ...parts, ...fields(all).slice(0, 3)],
    ],
  ])('are kept and planned with, %s', async (_where, order) => {
    const { options, frames } = await accepted(order(uploadParts(ada, wav)))
    const { quality, channels, sampleRate, ...tags } = all
    expect(options).toEqual({
      encode: { quality: 5, channels: 1, sampleRate: 22_050 },
      tags: { ...tags, artist: 'Caf\u00e9' },
      wavTags: {},
    })
    // 2205 samples at the new rate, LAME's 576 of delay, and as much padding: six frames of 576 samples.
    expect(frames).toBe(6)
  })

  it('may be none, and an empty tag is none', async () => {
    const { options } = await accepted([...uploadParts(ada, wav), { name: 'title', data: '' }])
    expect(options).toEqual({ encode: {}, tags: {}, wavTags: {} })
  })

  it('may each have 1,000 characters, also where each is two of Unicode’s', async () => {
    const comment = 'e\u0301'.repeat(1000)
    const { options } = await accepted([...uploadParts(ada, wav), { name: 'comment', data: comment }])
    expect(options).toMatchObject({ tags: { comment: '\u00e9'.repeat(1000) } })
  })
})

describe('tags that the WAV carries', () => {
  const info = (id: string, text: string) => {
    const head = Buffer.alloc(8)
    head.write(id, 'latin1')
    head.writeUInt32LE(Buffer.byteLength(text), 4)
    return Buffer.concat([head, Buffer.from(text), Buffer.alloc(Buffer.byteLength(text) % 2)])
  }
  const list = (...entries: Buffer[]) => ({
    id: 'LIST',
    data: Buffer.concat([Buffer.from('INFO'), ...entries]),
  })

  it('are kept from before and behind the audio, beside those of the upload, and do not name the file', async () => {
    const tagged = buildWav({
      between: [list(info('INAM', 'Take 1'), info('IART', 'Кино'))],
      after: [list(info('ICRD', '2003-04-05'), info('INAM', 'Take 2'))],
    })
    const { url, options } = await accepted([
      { name: 'title', data: '' },
      ...uploadParts(ada, tagged, 'x.wav'),
    ])
    const wavTags = { title: 'Take 1', artist: 'Кино', date: '2003-04-05' }
    expect(options).toEqual({ encode: {}, tags: {}, wavTags })
    await finishLinked(app.db, url, randomBytes(200))
    const answer = await fetch(url, { method: 'HEAD' })
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="x.mp3"')
  })
})

describe('options that are refused', () => {
  const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']
  it.each<[string, string, RegExp, readonly string[] | undefined]>([
    ['quality', '10', /0, 1, 2, 3, 4, 5, 6, 7, 8, 9/, digits],
    ['bitrate', '100', /96, 112, 128, .* 320 kbit\/s/, undefined],
    ['channels', '6', /1, 2/, ['1', '2']],
    ['sampleRate', '96000', /44100, 48000 Hz/, undefined],
    ['date', 'soon', /YYYY-MM-DD/, ['YYYY', 'YYYY-MM-DD']],
    ['title', 'two\nlines', /control/, undefined],
    ['comment', 'x'.repeat(1001), /1,000/, undefined],
    ['comment', 'x'.repeat(100_000), /long/, undefined],
  ])('%s: the 400 names it and what is allowed', async (field, data, detail, allowed) => {
    const expected = { field, detail: expect.stringMatching(detail), ...(allowed && { allowed }) }
    const parts = uploadParts(ada, wav)
    await expectRefusal([{ name: field, data }, ...parts], expected)
    await expectRefusal([...parts, { name: field, data }], expected)
  })

  it('one that is given twice, or as a file', async () => {
    const title = { name: 'title', data: 'a' }
    await expectRefusal([title, title, ...uploadParts(ada, wav)], { code: 'duplicate-field', field: 'title' })
    await expectRefusal([{ ...title, fileName: 'a.txt' }, ...uploadParts(ada, wav)], { field: 'title' })
  })

  it('quality together with bitrate', async () => {
    const both = fields({ quality: '2', bitrate: '128' })
    await expectRefusal([...both, ...uploadParts(ada, wav)], {
      field: 'bitrate',
      detail: expect.stringMatching(/exclude/),
    })
  })

  it('a bitrate that the rate of the MP3 does not know, wherever it stands', async () => {
    const phone = buildWav({ sampleRate: 8000, channels: 1 })
    const bitrate = { name: 'bitrate', data: '128' }
    const expected = {
      field: 'bitrate',
      detail: expect.stringMatching(/8, 16, 24, 32, 40, 48, 56, 64 kbit\/s at 8000 Hz/),
      allowed: ['8', '16', '24', '32', '40', '48', '56', '64'],
    }
    await expectRefusal([bitrate, ...uploadParts(ada, phone)], expected)
    await expectRefusal([...uploadParts(ada, phone), bitrate], expected)
    await expectRefusal([...uploadParts(ada, wav), bitrate, { name: 'sampleRate', data: '8000' }], expected)
    const rate = { name: 'sampleRate', data: '44100' }
    await accepted([bitrate, ...uploadParts(ada, phone), rate])
    await accepted([rate, ...uploadParts(ada, phone), bitrate])
  })

  it('a bitrate that the asked rate does not know, before the file has come', async () => {
    const impossible = fields({ bitrate: '128', sampleRate: '8000' })
    await expectRefusal([...impossible, { name: 'file', fileName: 'a.wav', data: 'no WAV' }], {
      field: 'bitrate',
    })
  })
})

describe('the name of the download', () => {
  it.each([
    ['Night', 'attachment; filename="Night.mp3"'],
    ['Ночь', `attachment; filename="____.mp3"; filename*=UTF-8''%D0%9D%D0%BE%D1%87%D1%8C.mp3`],
    ['AC/DC \\ live', 'attachment; filename="AC-DC - live.mp3"'],
    ['...', 'attachment; filename="take 1.mp3"'],
    ['a\u202eb', 'attachment; filename="ab.mp3"'],
    ['x'.repeat(300), `attachment; filename="${'x'.repeat(150)}.mp3"`],
  ])('is the title, where there is one: %s', async (title, disposition) => {
    const { url } = await accepted([...uploadParts(ada, wav), { name: 'title', data: title }])
    await finishLinked(app.db, url, randomBytes(200))
    const answer = await fetch(url, { method: 'HEAD' })
    expect(answer.headers.get('content-disposition')).toBe(disposition)
  })
})
