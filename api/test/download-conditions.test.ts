/** Conditional requests over HTTP by the rules of RFC 9110, section 13: each line names the rule's section. */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exchange } from './raw-http.ts'
import { type ReadyRecording, readyRecording } from './ready-mp3.ts'
import { type RunningApp, startApp } from './running-app.ts'

const mp3 = randomBytes(5000)
const ETAG = `"${createHash('sha256').update(mp3).digest('hex')}"`
const OTHER = '"0123456789abcdef"'
// It became ready at 12:00:00.700; a date of HTTP knows whole seconds only.
const SAME = 'Sun, 01 Mar 2026 12:00:00 GMT'
const EARLIER = 'Sun, 01 Mar 2026 11:59:59 GMT'
const LATER = 'Sun, 01 Mar 2026 12:00:01 GMT'

let app: RunningApp
let recording: ReadyRecording
beforeAll(async () => {
  app = await startApp()
  recording = await readyRecording(app, mp3)
  const readyAt = new Date('2026-03-01T12:00:00.700Z')
  await app.db.prisma.record.update({ where: { key: recording.key }, data: { readyAt } })
})
afterAll(() => app?.stop())

type Headers = Record<string, string>

async function get(headers: Headers, method = 'GET', url = recording.url) {
  const answer = await fetch(url, { method, headers })
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) }
}

const rules: [section: string, headers: Headers, status: number][] = [
  ['13.1.1: the tag is ours', { 'if-match': ETAG }, 200],
  ['13.1.1: any will do', { 'if-match': '*' }, 200],
  ['13.1.1: ours is in the list', { 'if-match': `${OTHER}, ${ETAG}` }, 200],
  ['13.1.1: ours is in a list with empty members', { 'if-match': ` , ${OTHER} ,\t, ${ETAG},` }, 200],
  ['13.1.1: none is ours', { 'if-match': `${OTHER}, "x"` }, 412],
  ['13.1.1: compared strongly, so a weak tag is never ours', { 'if-match': `W/${ETAG}` }, 412],
  ['13.1.1: what is no tag is not ours', { 'if-match': ETAG.slice(1, -1) }, 412],
  ['13.1.2: the tag is ours', { 'if-none-match': ETAG }, 304],
  ['13.1.2: compared weakly', { 'if-none-match': `W/${ETAG}` }, 304],
  ['13.1.2: any will do', { 'if-none-match': '*' }, 304],
  ['13.1.2: ours is in the list', { 'if-none-match': `W/${OTHER},"a,b",${ETAG}` }, 304],
  ['13.1.2: none is ours', { 'if-none-match': `${OTHER}, W/"x"` }, 200],
  ['13.1.2: a tag is compared as a whole', { 'if-none-match': `${ETAG.slice(0, -2)}"` }, 200],
  ['13.1.2: what is no tag is not ours', { 'if-none-match': ETAG.slice(1, -1) }, 200],
  ['13.1.2: a list that is none', { 'if-none-match': `nonsense ${ETAG}` }, 200],
  ['13.1.2: a star stands alone', { 'if-none-match': '*, *' }, 200],
  ['13.1.2: W/ is written so', { 'if-none-match': `w/${ETAG}` }, 200],
  ['13.1.3: not since then', { 'if-modified-since': SAME }, 304],
  ['13.1.3: not since later', { 'if-modified-since': LATER }, 304],
  ['13.1.3: since before', { 'if-modified-since': EARLIER }, 200],
  ['13.1.3: ignored beside If-None-Match', { 'if-modified-since': LATER, 'if-none-match': OTHER }, 200],
  ['13.1.4: not since then', { 'if-unmodified-since': SAME }, 200],
  ['13.1.4: not since later', { 'if-unmodified-since': LATER }, 200],
  ['13.1.4: since before', { 'if-unmodified-since': EARLIER }, 412],
  ['13.1.4: ignored beside If-Match', { 'if-unmodified-since': EARLIER, 'if-match': ETAG }, 200],
  ['13.2.2: If-Match comes first', { 'if-match': OTHER, 'if-none-match': ETAG }, 412],
  ['13.2.2: If-None-Match after it', { 'if-match': ETAG, 'if-none-match': ETAG }, 304],
  ['13.2.2: If-Unmodified-Since before it', { 'if-unmodified-since': EARLIER, 'if-none-match': ETAG }, 412],
  ['13.2.2: If-Modified-Since last', { 'if-unmodified-since': SAME, 'if-modified-since': SAME }, 304],
  ['5.6.7: the date of RFC 850', { 'if-modified-since': 'Sunday, 01-Mar-26 12:00:00 GMT' }, 304],
  ['5.6.7: of RFC 850, before', { 'if-modified-since': 'Sunday, 01-Mar-26 11:59:59 GMT' }, 200],
  ['5.6.7: of RFC 850, long ago', { 'if-unmodified-since': 'Tuesday, 01-Mar-94 12:00:00 GMT' }, 412],
  ['5.6.7: of asctime', { 'if-modified-since': 'Sun Mar  1 12:00:00 2026' }, 304],
  ['5.6.7: of asctime, before', { 'if-modified-since': 'Sun Mar  1 11:59:59 2026' }, 200],
  ['5.6.7: a leap second', { 'if-modified-since': 'Sun, 01 Mar 2026 11:59:60 GMT' }, 304],
]

describe.each(['GET', 'HEAD'])('%s', (method) => {
  it.each(rules)('%s: %o is %i', async (_section, headers, status) => {
    const answer = await get(headers, method)
    expect(answer.status).toBe(status)
    if (status === 200) expect(answer.headers.get('last-modified')).toBe(SAME)
    if (method === 'HEAD') return
    if (status === 200) expect(answer.body.equals(mp3)).toBe(true)
    if (status === 412)
      expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'precondition-failed' })
    if (status === 304) {
      // Section 15.4.5: what a cache needs, and no more.
      expect(answer.body).toHaveLength(0)
      expect(answer.headers.get('etag')).toBe(ETAG)
      expect(answer.headers.get('last-modified')).toBe(SAME)
      expect(answer.headers.get('cache-control')).toBe('private, max-age=31536000, immutable')
      expect(answer.headers.get('content-type')).toBeNull()
    }
  })
})

describe('a date that is none', () => {
  it.each([
    'yesterday',
    '',
    '2026-03-01T12:00:00Z',
    '1772366400',
    'Sun, 01 Mar 2026 12:00:00 UTC',
    'Sun, 01 Mar 2026 12:00:00 +0000',
    'Sun, 1 Mar 2026 12:00:00 GMT',
    'sun, 01 mar 2026 12:00:00 gmt',
    'Sun, 31 Feb 2026 12:00:00 GMT',
    'Sun, 00 Mar 2026 12:00:00 GMT',
    'Sun, 01 Mar 2026 24:00:00 GMT',
    'Sun, 01 Mar 2026 12:60:00 GMT',
    `${SAME}, ${SAME}`,
  ])('such as "%s" is ignored', async (date) => {
    for (const name of ['if-modified-since', 'if-unmodified-since']) {
      expect((await get({ [name]: date })).status).toBe(200)
    }
  })

  it('such as two lines of them is ignored too', async () => {
    const lines = [`GET ${recording.path} HTTP/1.1`, `Host: 127.0.0.1:${app.port}`]
    for (const name of ['If-Modified-Since', 'If-Modified-Since']) lines.push(`${name}: ${LATER}`)
    expect((await exchange(app.port, `${lines.join('\r\n')}\r\n\r\n`))?.status).toBe(200)
  })
})

describe('If-Range', () => {
  const range = { range: 'bytes=10-19' }

  it.each([
    ['our tag', ETAG],
    ['our date', SAME],
    ['our date as RFC 850 has it', 'Sunday, 01-Mar-26 12:00:00 GMT'],
  ])('with %s lets the range count', async (_what, value) => {
    const { status, body } = await get({ ...range, 'if-range': value })
    expect(status).toBe(206)
    expect(body.equals(mp3.subarray(10, 20))).toBe(true)
  })

  it.each([
    ['another tag', OTHER],
    ['our tag as a weak one', `W/${ETAG}`],
    ['a list of tags', `${ETAG}, ${ETAG}`],
    ['a star', '*'],
    ['an earlier date', EARLIER],
    ['a later date: it must be exactly ours', LATER],
    ['no tag and no date', 'nonsense'],
    ['nothing', ''],
  ])('with %s gives the whole', async (_what, value) => {
    for (const asked of ['bytes=10-19', 'bytes=9999-']) {
      const { status, body } = await get({ range: asked, 'if-range': value })
      expect(status).toBe(200)
      expect(body.equals(mp3)).toBe(true)
    }
  })

  it('means nothing without a range', async () => {
    expect((await get({ 'if-range': OTHER })).status).toBe(200)
  })

  it('and Range come after all other conditions', async () => {
    expect((await get({ ...range, 'if-none-match': ETAG })).status).toBe(304)
    expect((await get({ ...range, 'if-match': OTHER, 'if-range': ETAG })).status).toBe(412)
    expect((await get({ range: 'bytes=9999-', 'if-none-match': ETAG })).status).toBe(304)
    expect((await get({ ...range, 'if-match': ETAG, 'if-range': ETAG })).status).toBe(206)
  })
})

describe('?download=', () => {
  it.each([
    ['', 'attachment'],
    ['&download=1', 'attachment'],
    ['&download=0', 'inline'],
  ])('"%s" is %s', async (query, type) => {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = await get({}, method, recording.url + query)
      expect(status).toBe(200)
      expect(headers.get('content-disposition')).toBe(`${type}; filename="take 1.mp3"`)
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; (.*; )?sandbox/)
      expect(headers.get('content-security-policy')).not.toMatch(/allow-scripts|script-src|unsafe/)
    }
  })

  it.each(['2', '', 'true', '00', '0&download=1', '0&download=0'])('"%s" is 400 and named', async (value) => {
    const { status, body } = await get({}, 'GET', `${recording.url}&download=${value}`)
    expect(status).toBe(400)
    expect(JSON.parse(body.toString())).toMatchObject({ code: 'bad-field', field: 'download' })
  })
})
