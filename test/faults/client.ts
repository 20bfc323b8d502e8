/** A user of the service: uploads in each of the ways there are, looks, downloads and deletes. */
import { type Answer, ask } from './ask.ts'
import type { Recording } from './recordings.ts'

export interface User {
  readonly id: string
  readonly token: string
}

export async function createUser(baseUrl: string, name: string): Promise<User> {
  const answer = await ask(`${baseUrl}/user`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ name })),
  })
  if (answer.status !== 201) throw new Error(`No user: ${answer.status} ${answer.body}`)
  return readJson<User>(answer)
}

export interface UploadWay {
  /** A form, or the WAV itself as the body. */
  readonly as: 'form' | 'raw'
  /** The share of the body, 0..1, after which the connection is cut. */
  readonly cutAt?: number
}

/** @throws NoAnswer */
export function upload(baseUrl: string, user: User, recording: Recording, way: UploadWay): Promise<Answer> {
  const { url, headers, body } = way.as === 'form' ? formOf(user, recording) : rawOf(user, recording)
  const cut = way.cutAt === undefined ? {} : { cutAfterBytes: Math.floor(body.length * way.cutAt) }
  return ask(`${baseUrl}${url}`, { method: 'POST', headers, body, ...cut })
}

function formOf(user: User, { name, wav, options }: Recording) {
  const boundary = 'a-boundary-that-no-recording-holds'
  const part = (field: string, more = '') =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${field}"${more}\r\n\r\n`
  const fields = Object.entries({ user: user.id, token: user.token, ...options })
  const texts = fields.map(([field, value]) => `${part(field)}${value}\r\n`).join('')
  const head = `${texts}${part('file', `; filename="${name}.wav"\r\ncontent-type: audio/wav`)}`
  return {
    url: '/record',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: Buffer.concat([Buffer.from(head), wav, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  }
}

function rawOf(user: User, { name, wav, options }: Recording) {
  const query = new URLSearchParams({ user: user.id, filename: `${name}.wav`, ...options })
  const headers = { 'content-type': 'audio/wav', authorization: `Bearer ${user.token}` }
  return { url: `/record?${query}`, headers, body: wav }
}

/** What a link is made of. */
export interface Link {
  readonly id: string
  readonly user: User
}

export function askStatus(baseUrl: string, link: Link): Promise<Answer> {
  return ask(`${baseUrl}/record/status?${queryOf(link)}`)
}

export function download(baseUrl: string, link: Link): Promise<Answer> {
  return ask(`${baseUrl}/record?${queryOf(link)}`)
}

export function remove(baseUrl: string, link: Link): Promise<Answer> {
  const headers = { authorization: `Bearer ${link.user.token}` }
  return ask(`${baseUrl}/record?${queryOf(link)}`, { method: 'DELETE', headers })
}

export function readJson<T>(answer: Answer): T {
  return JSON.parse(answer.body.toString())
}

function queryOf({ id, user }: Link): string {
  return `id=${id}&user=${user.id}`
}
