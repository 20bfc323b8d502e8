/** CORS: which other web sites' scripts may use the API, and what of its answers they see. Without the setting none. */
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

const METHODS = ['GET', 'HEAD', 'POST', 'DELETE']

/** Beside those that scripts may always send. */
const REQUEST_HEADERS = [
  ...['Authorization', 'Content-Type', 'Idempotency-Key', 'Last-Event-ID', 'Prefer', 'X-Request-Id'],
  ...['Range', 'If-Range', 'If-Match', 'If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since'],
]

/** Beside those that scripts may always see. */
const ANSWER_HEADERS = [
  ...['Accept-Ranges', 'Content-Disposition', 'Content-Range', 'ETag', 'Repr-Digest'],
  ...['Location', 'Preference-Applied', 'Retry-After', 'WWW-Authenticate', 'X-Request-Id'],
  ...['RateLimit', 'RateLimit-Policy', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
]

/** The address of the route that the plugin adds, which is no address of ours. */
export const PREFLIGHT_ROUTE = '*'

/** Must come before all hooks that refuse something, so that scripts can read why. */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return
  const allowed = {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: METHODS,
    allowedHeaders: REQUEST_HEADERS,
    exposedHeaders: ANSWER_HEADERS,
    maxAge: 600,
    credentials: false, // the token is sent by the script itself; a browser's stored admin password never is
  }
  await app.register(cors, {
    delegator(request, done) {
      const isPlainOptions =
        request.method === 'OPTIONS' && request.headers['access-control-request-method'] === undefined
      done(null, isPlainOptions ? { origin: false } : allowed) // plain ones are told the methods of an address
    },
  })
}
