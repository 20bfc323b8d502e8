/** In which order uploads of several users wait, and what their links say about it. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildWav } from '../../test/support/wav.ts'
import { multipartBody, post, uploadParts } from './multipart.ts'
import { type RunningApp, startApp, type User } from './running-app.ts'

let app: RunningApp
beforeAll(async () => {
  app = await startApp({ settings: { segmentSeconds: 10 } })
})
afterAll(() => app?.stop())

/** @returns the link. */
async function upload(user: User, seconds = 1): Promise<string> {
  const wav = buildWav({ samples: seconds * 8_000, sampleRate: 8_000, channels: 1 })
  const answer = await post(`${app.baseUrl}/record`, multipartBody(uploadParts(user, wav)))
  expect(answer.status).toBe(202)
  const { url } = (await answer.json()) as { url: string }
  return url
}

async function positionAt(link: string): Promise<unknown> {
  const answer = await fetch(link)
  const { position } = (await answer.json()) as { position: unknown }
  return position
}

it('users take turns, segment by segment, and each link says how many recordings come before', async () => {
  const [ada, bob] = [await app.createUser(), await app.createUser()]
  const links = [await upload(ada), await upload(ada, 30), await upload(ada)]
  links.push(await upload(bob), await upload(bob))
  const waiting = await app.queue.bull.getPrioritized()
  expect(waiting.map(({ id, opts }) => [id, opts.priority])).toEqual([
    ['r1-s0', 1],
    ['r4-s0', 1],
    ['r2-s0', 2],
    ['r5-s0', 2],
    ['r2-s1', 3],
    ['r2-s2', 4],
    ['r3-s0', 5],
  ])
  expect(await Promise.all(links.map(positionAt))).toEqual([0, 2, 4, 1, 3])
})
