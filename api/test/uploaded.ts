/** A recording that a running app has accepted, and that waits. */
import { buildWav } from '../../test/support/wav.ts'
import { multipartBody, post, uploadParts } from './multipart.ts'
import type { RunningApp, User } from './running-app.ts'

interface Uploaded {
  readonly id: string
  /** The link. */
  readonly url: string
}

/** @throws Error unless the answer is 202. */
export async function uploadWav(app: RunningApp, user: User, wav = buildWav()): Promise<Uploaded> {
  const answer = await post(`${app.baseUrl}/record`, multipartBody(uploadParts(user, wav)))
  if (answer.status !== 202) throw new Error(`POST /record: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Uploaded
}
