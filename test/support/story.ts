/** The story of a user over HTTP: a name, an upload, a link, an MP3. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface StoryUser {
  readonly id: string
  readonly token: string
}

export async function createUser(baseUrl: string): Promise<StoryUser> {
  const response = await fetch(`${baseUrl}/user`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: `story ${crypto.randomUUID()}` }),
  })
  return await readJson<StoryUser>(response, 201)
}

/** @returns the link's path and query, which outlive the port of one start. */
export async function upload(baseUrl: string, user: StoryUser, wav: Uint8Array): Promise<string> {
  const form = new FormData()
  form.set('user', user.id)
  form.set('token', user.token)
  form.set('file', new Blob([wav]), 'story.wav')
  const response = await fetch(`${baseUrl}/record`, { method: 'POST', body: form })
  const { url } = await readJson<{ url: string }>(response, 202)
  return url.slice(new URL(url).origin.length)
}

/** Asks until the answer is no longer 202. @throws Error unless it is 200 then. */
export async function download(baseUrl: string, link: string): Promise<Buffer> {
  for (;;) {
    const response = await fetch(`${baseUrl}${link}`)
    if (response.status === 200) return Buffer.from(await response.arrayBuffer())
    await readJson(response, 202)
    await sleep(100)
  }
}

async function readJson<T>(response: Response, expected: number): Promise<T> {
  const text = await response.text()
  if (response.status !== expected) throw new Error(`${response.status} instead of ${expected}: ${text}`)
  return JSON.parse(text)
}
