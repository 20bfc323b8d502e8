/** What several users may do in any order, and what must come of it by a model of a few lines: for random sequences. */
import fc from 'fast-check'
import { expect } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { eventually } from './eventually.ts'
import { finishLinked } from './finished-record.ts'
import { type SentUpload, send, sendHalf, type Way, ways } from './keyed-upload.ts'
import { ask } from './own-user.ts'
import type { RunningApp, User } from './running-app.ts'

interface ModelRecord {
  readonly owner: ModelUser
  readonly url: string
  mp3: Buffer | undefined
  isDeleted: boolean
}

interface ModelUser {
  account: User
  isDeleted: boolean
  readonly oldTokens: string[]
  /** By idempotency key: what was sent with it, and what came of it. */
  readonly keys: Map<string, { readonly sent: string; readonly record: ModelRecord }>
}

export interface Model {
  readonly users: ModelUser[]
  readonly records: ModelRecord[]
}

type Command = fc.AsyncCommand<Model, RunningApp>

const wavs = [1_000, 4_410].map((samples) => buildWav({ samples }))

interface UploadChoice {
  readonly who: number
  readonly way: Way
  readonly wav: number
  readonly quality: string | undefined
  readonly key: string | undefined
}

const number = fc.nat({ max: 99 })
const upload = fc.record<UploadChoice>({
  who: number,
  way: fc.constantFrom(...ways),
  wav: fc.nat({ max: wavs.length - 1 }),
  quality: fc.constantFrom(undefined, '5'),
  key: fc.constantFrom(undefined, 'a', 'b'),
})

/** A random sequence; what it does to whom is chosen among those who are there by then. */
export const sequences = fc.commands(
  [
    fc.constant(command('a new user', () => true, createUser)),
    upload.map((choice) => command(`upload ${JSON.stringify(choice)}`, hasUser, uploadOnce(choice))),
    upload.map((choice) =>
      command(`repeat ${JSON.stringify(choice)}`, hasUser, uploadOnce({ ...choice, key: 'a' })),
    ),
    upload.map((choice) => command(`abort ${JSON.stringify(choice)}`, hasLiveUser, abortUpload(choice))),
    number.map((at) => command(`poll ${at}`, hasRecord, poll(at))),
    fc
      .tuple(number, fc.nat({ max: 700 }), fc.nat({ max: 700 }))
      .map(([at, start, end]) =>
        command(`bytes ${start}-${end} of ${at}`, hasRecord, readRange(at, start, end)),
      ),
    number.map((at) => command(`transcode ${at}`, hasRecord, finish(at))),
    number.map((at) => command(`delete ${at}`, hasRecord, deleteRecord(at))),
    fc
      .tuple(number, number)
      .map(([at, who]) => command(`${who} deletes ${at}`, hasRecord, deleteAsOther(at, who))),
    number.map((who) => command(`new token of ${who}`, hasUser, renewToken(who))),
    number.map((who) => command(`old token of ${who}`, hasUser, useOldToken(who))),
    number.map((who) => command(`list of ${who}`, hasUser, list(who))),
    number.map((who) => command(`end of ${who}`, hasUser, deleteUser(who))),
  ],
  { maxCommands: 30 },
)

/** What must be true of every user when a sequence is over. */
export async function checkAll(model: Model, app: RunningApp): Promise<void> {
  for (const who of model.users.keys()) await list(who)(model, app)
  expect((await app.stored()).files.filter((name) => name.endsWith('.part'))).toEqual([])
}

function command(
  name: string,
  check: (model: Readonly<Model>) => boolean,
  run: (model: Model, app: RunningApp) => Promise<void>,
): Command {
  return { check, run, toString: () => name }
}

const hasUser = ({ users }: Model) => users.length > 0
const hasLiveUser = ({ users }: Model) => users.some(({ isDeleted }) => !isDeleted)
const hasRecord = ({ records }: Model) => records.length > 0

function pick<T>(list: readonly T[], at: number): T {
  const item = list[at % list.length]
  if (item === undefined) throw new Error('There is nothing to pick from')
  return item
}

async function createUser({ users }: Model, app: RunningApp): Promise<void> {
  users.push({ account: await app.createUser(), isDeleted: false, oldTokens: [], keys: new Map() })
}

function requestOf({ way, wav, quality, key }: UploadChoice, { account }: ModelUser): SentUpload {
  const options = quality === undefined ? {} : { quality }
  return { way, user: account, wav: pick(wavs, wav), key, options }
}

function uploadOnce(choice: UploadChoice) {
  return async ({ users, records }: Model, app: RunningApp) => {
    const owner = pick(users, choice.who)
    const earlier = owner.keys.get(choice.key ?? '')
    const sent = `${choice.wav} ${choice.quality}`
    const answer = await send(app.baseUrl, requestOf(choice, owner))
    const { url } = (await answer.json()) as { url: string }
    if (owner.isDeleted) return expect(answer.status).toBe(401)
    if (earlier !== undefined && earlier.sent !== sent) return expect(answer.status).toBe(422)
    expect(answer.status).toBe(202)
    expect(answer.headers.get('idempotency-replayed')).toBe(earlier === undefined ? null : 'true')
    if (earlier !== undefined) return expect(url).toBe(earlier.record.url)
    const record = { owner, url, mp3: undefined, isDeleted: false }
    records.push(record)
    if (choice.key !== undefined) owner.keys.set(choice.key, { sent, record })
  }
}

/** The client goes away in the middle, which changes nothing. */
function abortUpload(choice: UploadChoice) {
  return async ({ users }: Model, app: RunningApp) => {
    const owner = pick(
      users.filter(({ isDeleted }) => !isDeleted),
      choice.who,
    )
    const { socket } = await sendHalf(app.port, requestOf({ ...choice, wav: 1 }, owner))
    socket.destroy()
    const held = { recordKey: null }
    await eventually(async () => {
      expect((await app.stored()).files.filter((name) => name.endsWith('.part'))).toEqual([])
      expect(await app.db.prisma.idempotencyKey.count({ where: held })).toBe(0)
    })
  }
}

/** What the link answers; undefined where it gives the MP3. */
function statusOf({ owner, mp3, isDeleted }: ModelRecord): number | undefined {
  if (owner.isDeleted) return 404
  if (isDeleted) return 410
  return mp3 === undefined ? 202 : undefined
}

function poll(at: number) {
  return async ({ records }: Model) => {
    const record = pick(records, at)
    const answer = await fetch(record.url)
    const body = Buffer.from(await answer.arrayBuffer())
    expect(answer.status).toBe(statusOf(record) ?? 200)
    if (answer.status === 200) expect(body).toEqual(record.mp3)
  }
}

function readRange(at: number, start: number, end: number) {
  return async ({ records }: Model) => {
    const record = pick(records, at)
    const answer = await fetch(record.url, { headers: { range: `bytes=${start}-${end}` } })
    const body = Buffer.from(await answer.arrayBuffer())
    const size = record.mp3?.length ?? 0
    // RFC 9110, section 14.1.1: a range whose end is before its start is none, and ignored.
    const whole = start > end ? 200 : start >= size ? 416 : 206
    expect(answer.status).toBe(statusOf(record) ?? whole)
    if (answer.status === 206) expect(body).toEqual(record.mp3?.subarray(start, end + 1))
  }
}

function finish(at: number) {
  return async ({ records }: Model, app: RunningApp) => {
    const record = pick(records, at)
    if (statusOf(record) !== 202) return
    const mp3 = Buffer.from(Array.from({ length: 500 }, (_, byte) => (byte * 7 + at) % 256))
    await finishLinked(app.db, record.url, mp3)
    record.mp3 = mp3
  }
}

const pathOf = (url: string) => url.slice(new URL(url).origin.length)

function deleteRecord(at: number) {
  return async ({ records }: Model, app: RunningApp) => {
    const record = pick(records, at)
    const { status } = await ask(app, 'DELETE', pathOf(record.url), record.owner.account.token)
    expect(status).toBe(record.owner.isDeleted ? 401 : 204)
    record.isDeleted = true
  }
}

/** With somebody else's token, which changes nothing. */
function deleteAsOther(at: number, who: number) {
  return async ({ records, users }: Model, app: RunningApp) => {
    const [record, other] = [pick(records, at), pick(users, who)]
    if (record.owner === other) return
    expect((await ask(app, 'DELETE', pathOf(record.url), other.account.token)).status).toBe(401)
  }
}

function renewToken(who: number) {
  return async ({ users }: Model, app: RunningApp) => {
    const user = pick(users, who)
    const { id, token: old } = user.account
    const answer = await ask(app, 'POST', `/user/token?user=${id}`, old)
    const { token } = (await answer.json()) as { token: string }
    expect(answer.status).toBe(user.isDeleted ? 401 : 200)
    if (user.isDeleted) return
    user.oldTokens.push(old)
    user.account = { ...user.account, token }
  }
}

function useOldToken(who: number) {
  return async ({ users }: Model, app: RunningApp) => {
    const { account, oldTokens } = pick(users, who)
    for (const token of oldTokens)
      expect((await ask(app, 'GET', `/records?user=${account.id}`, token)).status).toBe(401)
  }
}

function list(who: number) {
  return async ({ users, records }: Model, app: RunningApp) => {
    const user = pick(users, who)
    const answer = await ask(app, 'GET', `/records?user=${user.account.id}&limit=100`, user.account.token)
    const body = (await answer.json()) as { records?: { url: string }[] }
    expect(answer.status).toBe(user.isDeleted ? 401 : 200)
    if (user.isDeleted) return
    const own = records.filter(({ owner, isDeleted }) => owner === user && !isDeleted)
    expect(body.records?.map(({ url }) => url)).toEqual(own.map(({ url }) => url).reverse())
  }
}

function deleteUser(who: number) {
  return async ({ users }: Model, app: RunningApp) => {
    const user = pick(users, who)
    const { status } = await ask(app, 'DELETE', `/user?user=${user.account.id}`, user.account.token)
    expect(status).toBe(user.isDeleted ? 401 : 204)
    user.isDeleted = true
  }
}
