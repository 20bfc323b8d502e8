/** What a user does with their own things over HTTP: requests with the token, and uploads. */
import { buildWav } from '../../test/support/wav.ts'
import { multipartBody, post, type TestPart, uploadParts } from './multipart.ts'
import type { RunningApp, User } from './running-app.ts'

export interface Uploaded {
  readonly id: string
  readonly url: string
}

const wav = buildWav({ samples: 1000 })

export async function upload(
  app: RunningApp,
  user: User,
  fields: Readonly<Record<string, string>> = {},
): Promise<Uploaded> {
  const parts: TestPart[] = Object.entries(fields).map(([name, data]) => ({ name, data }))
  const answer = await post(`${app.baseUrl}/record`, multipartBody([...uploadParts(user, wav), ...parts]))
  if (answer.status !== 202) throw new Error(`POST /record: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Uploaded
}

/** @param token none where it is undefined. */
export function ask(
  app: RunningApp,
  method: string,
  path: string,
  token: string | undefined,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return fetch(`${app.baseUrl}${path}`, { method, headers: { ...headers, ...authorization } })
}

export async function statusOf(answer: Promise<Response>): Promise<number> {
  const { status, body } = await answer
  await body?.cancel()
  return status
}
