/** Uploads with an Idempotency-Key or without, as a form and as a raw body, also one that stops in the middle. */
import { CONTENT_TYPE, multipartBody, post, type TestPart, uploadParts } from './multipart.ts'
import { connectRaw, head, type RawConnection } from './raw-http.ts'
import type { User } from './running-app.ts'

export const ways = ['a form', 'a raw body'] as const
export type Way = (typeof ways)[number]

export interface SentUpload {
  /** A form unless told. */
  readonly way?: Way
  readonly user: User
  readonly wav: Uint8Array
  readonly key?: string | undefined
  readonly options?: Readonly<Record<string, string>>
  readonly fileName?: string
}

export interface KeyedUpload extends SentUpload {
  readonly key: string
}

/** The upload as it goes over the line. */
function requestOf({ way = 'a form', user, wav, key, options = {}, fileName = 'take 1.wav' }: SentUpload) {
  const common = {
    authorization: `Bearer ${user.token}`,
    ...(key !== undefined && { 'idempotency-key': key }),
  }
  if (way === 'a raw body') {
    const query = new URLSearchParams({ user: user.id, filename: fileName, ...options })
    const headers = { 'content-type': 'audio/wav', ...common }
    return { path: `/record?${query}`, headers, body: wav }
  }
  const [userPart, , file] = uploadParts(user, wav, fileName)
  const fields = Object.entries(options).map(([name, data]): TestPart => ({ name, data }))
  const headers = { 'content-type': CONTENT_TYPE, ...common }
  return { path: '/record', headers, body: multipartBody([userPart, ...fields, file]) }
}

export function send(baseUrl: string, upload: SentUpload): Promise<Response> {
  const { path, headers, body } = requestOf(upload)
  return post(`${baseUrl}${path}`, body, headers)
}

/** An upload of which the last 5,000 bytes are yet to come. The caller destroys its socket. */
export interface HalfUpload extends RawConnection {
  finish(): Promise<void>
}

export async function sendHalf(port: number, upload: SentUpload): Promise<HalfUpload> {
  const { path, headers, body } = requestOf(upload)
  const connection = await connectRaw(port)
  await connection.send(head(port, `POST ${path}`, { ...headers, 'content-length': body.length }))
  await connection.send(body.subarray(0, -5_000))
  return { ...connection, finish: () => connection.send(body.subarray(-5_000)) }
}

/** Sends nothing but the head of an upload. */
export async function sendHead(port: number, upload: SentUpload): Promise<RawConnection> {
  const { path, headers } = requestOf(upload)
  const connection = await connectRaw(port)
  await connection.send(head(port, `POST ${path}`, { ...headers, 'content-length': 1_000_000 }))
  return connection
}
