/** DELETE /user: the user is gone with all that is theirs, and the name is free again. The admin may do it too. */
import Type from 'typebox'
import type { Admin } from '../admin.ts'
import { audit } from '../audit.ts'
import { concernedUserOf, UserQuery } from '../concerned-user.ts'
import type { RemovalParts } from '../remove-recording.ts'
import { removeUser } from '../remove-user.ts'
import type { Route } from '../route.ts'

const schema = { querystring: UserQuery, response: { 204: Type.Null() } }

export function deleteUserRoute(parts: RemovalParts & { readonly admin: Admin }): Route<typeof schema> {
  return {
    schema,
    async handler(request, reply) {
      const user = await concernedUserOf(parts, request, request.query)
      await removeUser({ ...parts, log: request.log }, user.userId)
      audit(request, 'user-deleted', user)
      return reply.code(204).send(null)
    },
  }
}
