/** Gives each request an id, in its answer and in every log line of it, and logs one line when it is over. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ProblemCode } from './problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Why it was refused, for the log. */
    problemCode: ProblemCode | undefined
  }
}

/** The client's own `x-request-id` if it is short and harmless, a new one otherwise. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.:@+/=-]{1,100}$/.test(given) ? given : randomUUID()
}

/** Logs the request when its connection is done with it, also where the client went away before the answer. */
export function logWhenOver(request: FastifyRequest, reply: FastifyReply): void {
  const startedAt = performance.now()
  reply.raw.once('close', () => {
    const line = {
      address: request.ip,
      method: request.method,
      path: loggablePath(request),
      ...(reply.raw.headersSent ? { status: reply.statusCode } : {}),
      ms: Math.round(performance.now() - startedAt),
      ...(request.problemCode === undefined ? {} : { code: request.problemCode }),
      ...(reply.raw.writableFinished ? {} : { aborted: true }),
    }
    if (isRoutine(request, reply)) request.log.debug(line, 'request')
    else request.log.info(line, 'request')
  })
}

/** Health checks, and polls that are told "not yet": many, and they say nothing. */
function isRoutine({ method, routeOptions }: FastifyRequest, { statusCode }: FastifyReply): boolean {
  return routeOptions.url?.startsWith('/health/') === true || (method !== 'POST' && statusCode === 202)
}

/**
 * What may be logged of a URL: the link is a secret, so never its query; and where the path is not one of ours, it may be
 * a link that somebody misspelt, so nothing that looks like an id.
 */
function loggablePath(request: FastifyRequest): string {
  const route = request.routeOptions.url
  if (route !== undefined) return route
  const path = /^\/[^?#]*/.exec(request.url)?.[0] ?? '(no path)'
  return path.replace(/[0-9a-f]{4,}/gi, '…').slice(0, 100)
}
