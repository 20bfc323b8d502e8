/** Answers everything that goes wrong with problem details: in a route, before one is found, and before HTTP is understood. */
import { randomUUID } from 'node:crypto'
import { ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { describeError } from '@wavemill/core/quiet-errors'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PROBLEM_TYPE, Problem } from './problem.ts'
import { wasCutOff } from './request-body.ts'
import { toProblem } from './to-problem.ts'

const CLOSE_AFTER_MS = 1_000

/** Sends `error` as problem details. Only what is our own fault is logged as an error, with its stack. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = wasCutOff(request.raw) ? clientGone(error) : toProblem(error)
  request.problemCode = problem.code
  if (problem.code === 'internal') {
    request.log.error({ err: problem.cause ?? problem }, 'request failed')
  } else if (problem.status >= 500) {
    request.log.warn({ reason: describeError(problem.cause ?? problem) }, problem.message)
  }
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .header('content-type', PROBLEM_TYPE)
    .send(problem.toDocument())
}

/** Nobody reads this answer, and whatever broke when the connection did is no fault of ours. */
function clientGone(cause: unknown): Problem {
  return new Problem('malformed-body', 'The body ended too early.', { cause })
}

/** Answers where there is only a connection: what came was no HTTP, or it stopped coming. */
export function sendOnSocket(socket: Socket, problem: Problem, requestId: string): void {
  const document = problem.toDocument()
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(document)}`,
    `x-request-id: ${requestId}`,
    'connection: close',
  ]
  if (!socket.writable) return void socket.destroy()
  socket.end(`${head.join('\r\n')}\r\n\r\n${document}`)
  // Not at once: a connection closed over unread bytes is reset, and the answer may be lost with it.
  setTimeout(() => socket.destroy(), CLOSE_AFTER_MS).unref()
}

/** Node's `clientError`: bytes that its HTTP parser refuses, headers that are too many or too slow. */
export function answerParserError(this: FastifyInstance, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const answer = answerUnderWay(socket)
  if (answer?.headersSent) return void socket.destroy() // another one would be taken for its body
  const problem = parserProblem(error.code)
  const requestId = String(answer?.getHeader('x-request-id') ?? randomUUID())
  this.log.info({ reqId: requestId, code: problem.code, reason: error.code }, 'no HTTP request')
  sendOnSocket(socket, problem, requestId)
}

function parserProblem(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') return new Problem('headers-too-large', 'The headers are too large.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem('stalled-body', 'The request took too long to arrive.')
  }
  if (code === 'HPE_INVALID_EOF_STATE') return new Problem('malformed-body', 'The body ended too early.')
  return new Problem('malformed-request', 'This is not a valid HTTP request.')
}

/** The answer to the request that is in progress on a connection. Node knows it, but has no public name for it. */
function answerUnderWay(socket: Socket): ServerResponse | undefined {
  const answer: unknown = Reflect.get(socket, '_httpMessage')
  return answer instanceof ServerResponse ? answer : undefined
}
