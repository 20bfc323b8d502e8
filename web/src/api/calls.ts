/** The API's routes as functions; whatever is refused is thrown as a Refusal. */
import { offline, refusalOf } from './problem.ts'
import type { Recording, Status, User } from './recording.ts'

export interface Page {
  readonly records: readonly Recording[]
  readonly nextCursor: string | null
}

export async function createUser(name: string): Promise<User> {
  const body = JSON.stringify({ name })
  return await call('user', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
}

export async function listRecordings(
  user: User,
  {
    status,
    cursor,
    limit = 20,
  }: { status?: Status | undefined; cursor?: string | undefined; limit?: number },
): Promise<Page> {
  const query = new URLSearchParams({ user: user.id, limit: String(limit) })
  if (status !== undefined) query.set('status', status)
  if (cursor !== undefined) query.set('cursor', cursor)
  return await call(`records?${query}`, bearing(user))
}

/** The token is asked for, so that a wrong one is noticed: an empty page is as good as any. */
export async function checkUser(user: User): Promise<void> {
  await listRecordings(user, { limit: 1 })
}

/** A recording as a list tells of it; the state itself knows neither title nor link. */
export async function readRecording(user: User, id: string): Promise<Omit<Recording, 'title' | 'url'>> {
  return await call(`record/status?${linkQuery(user, id)}`)
}

export async function deleteRecording(user: User, id: string): Promise<void> {
  // The page may be closed meanwhile.
  await call(`record?${linkQuery(user, id)}`, { method: 'DELETE', keepalive: true, ...bearing(user) })
}

/** Where the MP3 is, for an <audio> element and for saving: the page's own address may differ from PUBLIC_URL. */
export function mp3Address(user: User, id: string, { download }: { download: boolean }): string {
  return `record?${linkQuery(user, id)}&download=${download ? 1 : 0}`
}

export function eventsAddress(user: User, ids: readonly string[]): string {
  return `records/events?${new URLSearchParams({ user: user.id, ids: ids.join(',') })}`
}

/** Audiowaveform's JSON: pairs of the lowest and the highest sample for each pixel. */
export interface Peaks {
  readonly bits: number
  readonly length: number
  readonly data: readonly number[]
}

export async function readPeaks(user: User, id: string): Promise<Peaks> {
  return await call(`record/peaks?${linkQuery(user, id)}`)
}

function linkQuery(user: User, id: string): URLSearchParams {
  return new URLSearchParams({ id, user: user.id })
}

function bearing({ token }: User): RequestInit {
  return { headers: { authorization: `Bearer ${token}` } }
}

/** @param T what the API's description says of this route; both come from one server. */
async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
  let answer: Response
  try {
    answer = await fetch(path, init)
  } catch {
    throw offline()
  }
  if (!answer.ok) throw refusalOf(answer.status, await answer.text(), answer.headers.get('retry-after'))
  return answer.status === 204 ? (undefined as T) : ((await answer.json()) as T)
}
