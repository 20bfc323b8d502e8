/** Tells a request that waits when to stop: its client went away, its time is over, or the server is closing. */
import type { FastifyReply } from 'fastify'

/** Not left to AbortController, which would make an error with a stack for each of thousands. */
const OVER = 'over'

/**
 * @param closing aborts when the server begins to close.
 * @param limitMs for ever without it.
 * @returns what aborts then, and at the latest when the answer is out: nothing of it stays behind.
 */
export function patienceFor(reply: FastifyReply, closing: AbortSignal, limitMs?: number): AbortSignal {
  const controller = new AbortController()
  const timer = limitMs === undefined ? undefined : setTimeout(stop, limitMs)
  function stop(): void {
    clearTimeout(timer)
    closing.removeEventListener('abort', stop)
    controller.abort(OVER)
  }
  reply.raw.once('close', stop)
  closing.addEventListener('abort', stop)
  if (closing.aborted || reply.raw.destroyed) stop()
  return controller.signal
}
