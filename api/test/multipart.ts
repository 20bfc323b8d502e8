/** Multipart bodies built by hand, so that they may be in any order, and wrong. */

export interface TestPart {
  readonly name: string
  /** Makes it a file. */
  readonly fileName?: string
  readonly data: string | Uint8Array
  /** Replaces the part's header lines. */
  readonly head?: string
}

export const BOUNDARY = '----wavemill-test'
export const CONTENT_TYPE = `multipart/form-data; boundary=${BOUNDARY}`

export function partOf({ name, fileName, data, head }: TestPart): Buffer {
  const disposition = `Content-Disposition: form-data; name="${name}"`
  const usual = fileName === undefined ? disposition : `${disposition}; filename="${fileName}"`
  return Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\n${head ?? usual}\r\n\r\n`),
    typeof data === 'string' ? Buffer.from(data) : data,
    Buffer.from('\r\n'),
  ])
}

export function multipartBody(parts: readonly TestPart[]): Buffer {
  return Buffer.concat([...parts.map(partOf), Buffer.from(`--${BOUNDARY}--\r\n`)])
}

/** The three parts of a good upload, in their usual order. */
export function uploadParts(
  user: { readonly id: string; readonly token: string },
  wav: string | Uint8Array,
  fileName = 'take 1.wav',
): [TestPart, TestPart, TestPart] {
  return [
    { name: 'user', data: user.id },
    { name: 'token', data: user.token },
    { name: 'file', fileName, data: wav },
  ]
}

export function post(url: string, body: string | Uint8Array, headers: Record<string, string> = {}) {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': CONTENT_TYPE, ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  })
}
