/** The Fastify server before it has routes: what is bounded, named, logged and answered alike for all of them. */
import { type FastifyInstance, type FastifyRequest, fastify, LogController } from 'fastify'
import { answerParserError, sendError, sendOnSocket } from './answer-errors.ts'
import { checkForwarded, checkHost } from './base-url.ts'
import { allowOrigins } from './cross-origin.ts'
import { answerUnknownRoutes } from './known-routes.ts'
import type { AppParts, Limits } from './parts.ts'
import { Problem } from './problem.ts'
import { answerDuringBody, isBodyHeldBack, isBodyOpen, watchBody } from './request-body.ts'
import { logWhenOver, requestIdOf } from './request-log.ts'
import { setSecurityHeaders } from './security-headers.ts'

/** Of bodies that are kept in memory: all but uploads. */
const BODY_LIMIT_BYTES = 16 * 1024
const MAX_HEADERS = 100

export async function createServer(
  { log, settings }: Pick<AppParts, 'log' | 'settings'>,
  limits: Limits,
): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }), // it would log whole URLs
    trustProxy: settings.trustProxy.length > 0 && [...settings.trustProxy],
    genReqId: requestIdOf,
    requestIdHeader: false,
    bodyLimit: BODY_LIMIT_BYTES,
    // No limit on a whole request: an upload may take a day. What stands still is cut (see watchBody).
    requestTimeout: 0,
    connectionTimeout: limits.idleMs,
    http: {
      headersTimeout: limits.headMs,
      connectionsCheckingInterval: limits.headMs, // so one that sends a byte now and then is cut after twice that
      maxHeaderSize: 16 * 1024,
      requireHostHeader: false, // checkHost does it
    },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    return503OnClosing: false, // what still comes on an open connection is answered, and closes it
    rewriteUrl: (request) => originForm(request.url ?? '/'),
    clientErrorHandler: answerParserError,
    frameworkErrors(error, request, reply) {
      logWhenOver(request, reply)
      reply.raw.setHeader('x-request-id', request.id)
      sendError(error, request, reply)
    },
  })
  // An unknown Expect may be ignored (RFC 9110, section 10.1.1); Node alone would answer it without problem details.
  app.server.on('checkExpectation', app.routing)
  app.removeContentTypeParser('text/plain')
  app.decorateRequest('problemCode', undefined)
  app.setErrorHandler(sendError)
  app.addHook('onRequest', async (request, reply) => {
    logWhenOver(request, reply)
    reply.raw.setHeader('x-request-id', request.id) // there already when the HTTP parser gives up later
  })
  await setSecurityHeaders(app)
  await allowOrigins(app, settings.corsOrigins)
  app.addHook('onRequest', async (request) => {
    checkHeaderCount(request)
    checkHost(request)
    checkForwarded(request)
  })
  boundConnections(app, limits)
  answerUnknownRoutes(app)
  return app
}

/** Requests in absolute form must be understood too (RFC 9112, section 3.2.2). */
function originForm(url: string): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, '') || '/'
}

function checkHeaderCount({ raw }: FastifyRequest): void {
  if (raw.rawHeaders.length / 2 <= MAX_HEADERS) return
  throw new Problem('headers-too-large', `There are more than ${MAX_HEADERS} header fields.`)
}

function boundConnections(app: FastifyInstance, limits: Limits): void {
  app.addHook('onRequest', async ({ raw, id }, reply) => {
    // Node asks here before it cuts a connection on which nothing moved: not while it is we who keep it waiting.
    reply.raw.on('timeout', () => {
      if ((isBodyOpen(raw) && !isBodyHeldBack(raw)) || reply.raw.headersSent) raw.socket.destroy()
    })
    if (!isBodyOpen(raw)) return
    watchBody(raw, limits, () => {
      if (reply.raw.headersSent) raw.socket.destroy()
      else sendOnSocket(raw.socket, new Problem('stalled-body', 'The body stopped arriving.'), id)
    })
  })
  app.addHook('onSend', async (request, reply, payload) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
    if (!isBodyOpen(request.raw)) return payload
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return payload
    reply.header('content-length', Buffer.byteLength(payload))
    return answerDuringBody(request.raw, payload, limits)
  })
}
