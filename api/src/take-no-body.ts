/** For routes whose requests mean the same with and without a body. */
import type { FastifyInstance } from 'fastify'

/**
 * A body is thrown away unread, whatever its type says: clients send `content-type: application/json` with DELETE and
 * nothing behind it, or an empty form with POST.
 */
export function takeNoBody(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, _body, done) => done(null, undefined))
}
