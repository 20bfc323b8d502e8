/** `expires` of an upload: which values it may have, and that the link is gone from that moment on. */
import { randomBytes } from 'node:crypto'
import { expireRecords } from '@wavemill/prisma/reconcile'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseExpiry } from '../src/expiry.ts'
import { eventually } from './eventually.ts'
import { finishLinked, keyOf } from './finished-record.ts'
import { ask, statusOf, upload } from './own-user.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

const now = new Date('2026-11-24T12:00:00Z')

describe('a time', () => {
  it.each([
    ['2026-11-24T12:00:01Z', '2026-11-24T12:00:01.000Z'],
    ['2026-11-24T12:00:00.001z', '2026-11-24T12:00:00.001Z'],
    ['2026-11-24t14:00:00+01:30', '2026-11-24T12:30:00.000Z'],
    ['2026-11-24T11:00:00-05:00', '2026-11-24T16:00:00.000Z'],
    ['2028-02-29T00:00:00.123456789Z', '2028-02-29T00:00:00.123Z'],
    [' 2030-01-01T00:00:00Z ', '2030-01-01T00:00:00.000Z'],
  ])('%s is one of RFC 3339', (text, expected) => {
    expect(parseExpiry(text, now)).toEqual({ at: new Date(expected) })
  })

  it.each([
    '2026-11-24T12:00:00Z', // now
    '1985-04-12T23:20:50.52Z',
    '2027-02-29T00:00:00Z',
    '2027-13-01T00:00:00Z',
    '2027-01-01T24:00:00Z',
    '2027-01-01T12:60:00Z',
    '2027-01-01T12:00:00',
    '2027-01-01T12:00Z',
    '2027-01-01',
    '2027-01-01T12:00:00+24:00',
    '9999-12-31T23:59:59-00:01',
    '+012027-01-01T12:00:00Z',
    'Fri, 01 Jan 2027 12:00:00 GMT',
    'tomorrow',
    '',
    '0',
    '-1',
    '1.5',
    '1e3',
    '3155760001',
    '99999999999999',
  ])('"%s" is none in the future, and no number of seconds', (text) => {
    expect(() => parseExpiry(text, now)).toThrow(/^"expires" must be /)
  })
})

describe('an upload', () => {
  let app: RunningApp
  let keeper: RunningApp
  let user: User
  beforeAll(async () => {
    app = await startApp()
    keeper = await startApp({ settings: { retentionDays: 1 } })
    user = await app.createUser()
  })
  afterAll(async () => {
    await app?.stop()
    await keeper?.stop()
  })

  async function expiryOf(url: string, of = app): Promise<number> {
    const { expiresAt } = await of.db.prisma.record.findUniqueOrThrow({
      where: { key: await keyOf(of.db, url) },
    })
    return expiresAt?.getTime() ?? Infinity
  }

  it('is kept for ever without it', async () => {
    expect(await expiryOf((await upload(app, user)).url)).toBe(Infinity)
  })

  it('is kept for so many seconds from when it was accepted', async () => {
    const before = Date.now()
    const { url } = await upload(app, user, { expires: '60' })
    const expiresAt = await expiryOf(url)
    expect(expiresAt).toBeGreaterThanOrEqual(before + 60_000)
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 60_000)
    const status = await (await fetch(url.replace('/record', '/record/status'))).json()
    expect(status).toMatchObject({ expiresAt: new Date(expiresAt).toISOString() })
  })

  it('is kept until the time that it names', async () => {
    const { url } = await upload(app, user, { expires: '2097-05-06T07:08:09+02:00' })
    expect(await expiryOf(url)).toBe(Date.UTC(2097, 4, 6, 5, 8, 9))
  })

  it('is never kept for longer than the operator keeps anything', async () => {
    const ada = await keeper.createUser()
    const dayAhead = Date.now() + 86_400_000
    const long = await expiryOf((await upload(keeper, ada, { expires: '2097-01-01T00:00:00Z' })).url, keeper)
    const none = await expiryOf((await upload(keeper, ada)).url, keeper)
    for (const time of [long, none]) {
      expect(time).toBeGreaterThanOrEqual(dayAhead)
      expect(time).toBeLessThanOrEqual(Date.now() + 86_400_000)
    }
    const short = await expiryOf((await upload(keeper, ada, { expires: '5' })).url, keeper)
    expect(short).toBeLessThan(dayAhead)
  })

  it('is kept by caches for no longer than that', async () => {
    const { url } = await upload(app, user, { expires: '600' })
    await finishLinked(app.db, url, randomBytes(2_000))
    const first = await fetch(url)
    await first.body?.cancel()
    const again = await fetch(url, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } })
    expect(again.status).toBe(304)
    for (const answer of [first, again]) {
      const [, seconds] =
        /^private, max-age=(\d+), immutable$/.exec(answer.headers.get('cache-control') ?? '') ?? []
      expect(Number(seconds)).toBeLessThanOrEqual(600)
      expect(Number(seconds)).toBeGreaterThan(500)
    }
  })

  it('is gone from that moment on, ready or not, also before anybody has removed it', async () => {
    const ready = await upload(app, user, { expires: '2' })
    await finishLinked(app.db, ready.url, randomBytes(2_000))
    const waiting = await upload(app, user, { expires: '2' })
    const links = [ready.url, waiting.url, ready.url.replace('/record', '/record/status')]
    for (const link of links) {
      await eventually(async () => expect(await statusOf(fetch(link))).toBe(410))
      const answer = await fetch(link)
      expect(await answer.json()).toMatchObject({ code: 'gone' })
    }
    expect(Date.now()).toBeGreaterThanOrEqual(await expiryOf(ready.url))
    const stored = await app.db.prisma.record.findUniqueOrThrow({
      where: { key: await keyOf(app.db, ready.url) },
    })
    expect(stored.status).toBe('ready')
    const list = await ask(app, 'GET', `/records?user=${user.id}`, user.token)
    expect(await list.text()).not.toContain(ready.id)
    expect(await expireRecords(app.db, 100)).toContain(stored.key)
    expect(await statusOf(fetch(ready.url))).toBe(410)
  })

  it.each(['soon', '0', '2020-01-01T00:00:00Z'])(
    'is refused with "%s", and nothing stays',
    async (expires) => {
      const before = await app.stored()
      await expect(upload(app, user, { expires })).rejects.toThrow(/400.*"field":"expires"/)
      expect(await app.stored()).toEqual(before)
    },
  )
})
