import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { finishLinked } from './finished-record.ts'
import { upload } from './own-user.ts'
import { type RunningApp, startApp } from './running-app.ts'

let app: RunningApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app?.stop())

it('downloads that have every connection of theirs, and a line before it, hold up no status and no upload', async () => {
  const user = await app.createUser()
  const links: string[] = []
  for (let count = 0; count < 20; count += 1) {
    const { url } = await upload(app, user)
    await finishLinked(app.db, url, randomBytes(2_000))
    links.push(url)
  }
  const blocker = await app.db.pool.connect()
  try {
    await blocker.query('BEGIN')
    await blocker.query('LOCK TABLE chunk IN ACCESS EXCLUSIVE MODE') // no MP3 can be read until it ends
    const downloads = Promise.all(links.map((url) => fetch(url)))
    downloads.catch(() => {}) // heard below, unless something else failed first
    await eventually(async () => expect(await waitingForChunks()).toBe(4))
    for (const url of links) {
      expect((await fetch(url.replace('/record?', '/record/status?'))).status).toBe(200)
    }
    await upload(app, user)
    await blocker.query('COMMIT')
    for (const answer of await downloads) {
      expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, 2_000])
    }
  } finally {
    await blocker.query('ROLLBACK')
    blocker.release()
  }

  /** Statements of the app's that wait for the lock. */
  async function waitingForChunks(): Promise<number | undefined> {
    const { rows } = await app.db.pool.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = 'api under test'`,
    )
    return rows[0]?.count
  }
})
