/** Whoever waits is told all the same: after a lost connection, an outage, the recording's own time, a shutdown. */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { openStream } from './event-source.ts'
import { eventually } from './eventually.ts'
import { finishLinked } from './finished-record.ts'
import { multipartBody, post, uploadParts } from './multipart.ts'
import { type RunningApp, startApp } from './running-app.ts'

const mp3 = randomBytes(2_000)

let app: RunningApp
let link: string
beforeEach(async () => {
  // Nobody looks by themselves within the time of a test: only what is announced, or missed, wakes them.
  app = await startApp({ limits: { heartbeatMs: 3_600_000 } })
  const user = await app.createUser()
  const answer = await post(`${app.baseUrl}/record`, multipartBody(uploadParts(user, buildWav())))
  link = ((await answer.json()) as { url: string }).url
})
afterEach(() => app?.stop())

const LISTENING = "datname = current_database() AND application_name = 'wavemill record watch'"

async function listeners(): Promise<number> {
  return (await app.db.pool.query(`SELECT FROM pg_stat_activity WHERE ${LISTENING}`)).rowCount ?? 0
}

/** A long poll and an event stream that both wait. */
async function waitTwice() {
  await eventually(async () => expect(await listeners()).toBe(1))
  const poll = fetch(link, { headers: { prefer: 'wait=60' } })
  const stream = await openStream(link.replace('/record?', '/record/events?'))
  await eventually(() => expect(app.watch.size).toBe(2))
  return { poll, stream }
}

it('a change made while the listening connection is cut is not missed', async () => {
  const { poll, stream } = await waitTwice()
  await app.databaseProxy.cut()
  await eventually(async () => expect(await listeners()).toBe(0))
  await finishLinked(app.db, link, mp3) // by way of another connection; nobody hears of it
  await app.databaseProxy.restore()
  expect((await poll).status).toBe(200)
  await stream.ended
  expect(stream.events.at(-1)?.event).toBe('ready')
})

it('where the server ends the listening connection, waiting goes on', async () => {
  const { poll, stream } = await waitTwice()
  for (let times = 0; times < 3; times++) {
    await app.db.pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${LISTENING}`)
    if (times === 2) await finishLinked(app.db, link, mp3)
    await eventually(async () => expect(await listeners()).toBe(1))
  }
  expect((await poll).status).toBe(200)
  await stream.ended
  expect(stream.events.at(-1)?.event).toBe('ready')
})

it('a recording that expires while it waits is gone at that moment', async () => {
  const { poll, stream } = await waitTwice()
  await app.db.pool.query("UPDATE record SET expires_at = now() + interval '1 second'")
  await app.db.pool.query(`SELECT pg_notify('wavemill_record', key::text) FROM record`) // now they know when
  expect((await poll).status).toBe(410)
  await stream.ended
  expect(stream.events.at(-1)?.event).toBe('expired')
})

it('a server that shuts down answers those who wait at once, and ends their streams', async () => {
  const { poll, stream } = await waitTwice()
  const closed = app.close()
  expect((await poll).status).toBe(202)
  await stream.ended
  expect(stream.events.map(({ event }) => event)).toEqual(['status'])
  expect(app.watch.size).toBe(0)
  await app.stop() // which closes what its clients keep open
  await closed
})
