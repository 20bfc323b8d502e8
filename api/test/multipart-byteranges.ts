/** Reads a multipart/byteranges body by its boundary (RFC 9110, section 14.6; RFC 2046, section 5.1), strictly. */

export interface BytesPart {
  readonly type: string | undefined
  /** As Content-Range says: [start, end). */
  readonly start: number
  readonly end: number
  readonly size: number
  readonly bytes: Buffer
}

/** @throws Error if it is not well-formed to the last byte. */
export function readByteRanges(contentType: string, body: Buffer): BytesPart[] {
  const boundary = /^multipart\/byteranges; boundary=([\w'()+,./:=?-]{1,70})$/.exec(contentType)?.[1]
  if (boundary === undefined) throw new Error(`No boundary in ${contentType}`)
  const text = body.toString('latin1')
  const [preamble, ...rest] = `\r\n${text}`.split(`\r\n--${boundary}`)
  const end = rest.pop()
  if (preamble !== '' || end !== '--\r\n') throw new Error('Something stands before or after the parts')
  return rest.map(readPart)
}

function readPart(part: string): BytesPart {
  const headEnd = part.indexOf('\r\n\r\n')
  const head = part.slice(0, headEnd)
  const [, first, last, size] = /\r\ncontent-range: bytes (\d+)-(\d+)\/(\d+)(?:\r\n|$)/i.exec(head) ?? []
  if (headEnd < 0 || first === undefined) throw new Error(`A part without Content-Range: ${head}`)
  return {
    type: /\r\ncontent-type: (.*?)(?:\r\n|$)/i.exec(head)?.[1],
    start: Number(first),
    end: Number(last) + 1,
    size: Number(size),
    bytes: Buffer.from(part.slice(headEnd + 4), 'latin1'),
  }
}
