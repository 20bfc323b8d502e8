/** DELETE /user: the user is gone with all that is theirs, and the name is free again. */
import Type from 'typebox'
import { authenticateRequest } from '../authenticate-request.ts'
import type { RemovalParts } from '../remove-recording.ts'
import { removeUser } from '../remove-user.ts'
import type { Route } from '../route.ts'

const schema = { querystring: Type.Object({ user: Type.String() }), response: { 204: Type.Null() } }

export function deleteUserRoute(parts: RemovalParts): Route<typeof schema> {
  return {
    schema,
    async handler(request, reply) {
      const { userId } = await authenticateRequest(parts.db, request, request.query.user)
      await removeUser({ ...parts, log: request.log }, userId)
      return reply.code(204).send(null)
    },
  }
}
