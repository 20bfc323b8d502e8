/** A client of the published API: a user who uploads recordings and fetches them as MP3. */
import assert from 'node:assert/strict'
import { openAsBlob } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const READY_WITHIN_MS = 300_000

export interface User {
  readonly id: string
  readonly token: string
}

export async function createUser(baseUrl: string, name: string): Promise<User> {
  const response = await fetch(`${baseUrl}/user`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  })
  assert.equal(response.status, 201)
  const user: User = JSON.parse(await response.text())
  return user
}

/** @returns the link. */
export async function uploadFile(baseUrl: string, user: User, path: string): Promise<string> {
  const form = new FormData()
  form.set('user', user.id)
  form.set('token', user.token)
  form.set('file', await openAsBlob(path), 'speech.wav')
  const response = await fetch(`${baseUrl}/record`, { method: 'POST', body: form })
  assert.equal(response.status, 202)
  const { url }: { url: string } = JSON.parse(await response.text())
  assert.ok(url.startsWith(`${baseUrl}/record?id=`), url)
  return url
}

/** Polls the link until it is no longer 202. @throws unless the answer is 200 then. */
export async function downloadMp3(link: string): Promise<Buffer> {
  let response = await fetch(link)
  await waitFor(async () => {
    if (response.status === 202) response = await fetch(link)
    return response.status !== 202
  })
  assert.equal(response.status, 200)
  return Buffer.from(await response.arrayBuffer())
}

/** Asks each half second until the answer is yes; an error counts as no. @throws after five minutes. */
export async function waitFor(isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS
  while (!(await isTrue().catch(() => false))) {
    if (performance.now() > deadline) throw new Error('It did not come within five minutes')
    await sleep(500)
  }
}
