/** Bounds what a request's body costs: one that stalls is cut, and the rest of one that was refused is thrown away. */
import type { IncomingMessage } from 'node:http'
import { finished, Readable } from 'node:stream'
import type { Limits } from './parts.ts'

/** True while bytes of the body have yet to come. */
export function isBodyOpen(request: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
  const hasBody = encoding !== undefined || (length !== undefined && length !== '0')
  return hasBody && !request.complete && !request.destroyed
}

/** True if the connection ended before the body did. */
export function wasCutOff(request: IncomingMessage): boolean {
  return request.destroyed && !request.complete
}

/**
 * True while it is we who keep the client waiting: no more of the body is taken from the connection before what came was
 * read. The client may send as fast as it likes.
 */
export function isBodyHeldBack({ readableLength, readableHighWaterMark }: IncomingMessage): boolean {
  return readableLength >= readableHighWaterMark
}

/**
 * Calls `onStall` if the body brings too little for too long. A slow line may take all day; a dead one may not.
 * Nothing is read here: the bytes are counted at the socket.
 */
export function watchBody(request: IncomingMessage, limits: Limits, onStall: () => void): void {
  const { socket } = request
  let seen = socket.bytesRead
  const timer = setInterval(() => {
    if (!isBodyOpen(request)) return clearInterval(timer)
    const arrived = socket.bytesRead - seen
    seen = socket.bytesRead
    if (arrived >= limits.minBodyBytes || isBodyHeldBack(request)) return
    clearInterval(timer)
    onStall()
  }, limits.bodyPeriodMs)
  timer.unref()
  request.once('close', () => clearInterval(timer))
}

/**
 * Makes an answer that can be sent while its request's body is still arriving, as a stream.
 *
 * All its bytes go out at once, but the stream ends only when the body has: until then what arrives is thrown away.
 * A server that closes, or stops reading, at once makes clients fail with a broken pipe before they read the answer
 * (as RFC 9112, section 9.6 warns). A body that is still coming after the limits ends with its connection.
 */
export function answerDuringBody(
  request: IncomingMessage,
  answer: string | Buffer,
  limits: Limits,
): Readable {
  const stream = new Readable({ read() {} })
  stream.push(answer)
  const cut = () => request.destroy()
  const timer = setTimeout(cut, limits.lingerMs)
  let left = limits.lingerBytes
  request.unpipe()
  request.on('data', (bytes: Buffer) => {
    left -= bytes.length
    if (left < 0) cut()
  })
  request.resume()
  finished(request, { writable: false }, () => {
    clearTimeout(timer)
    stream.push(null)
  })
  return stream
}
