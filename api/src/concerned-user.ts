/** Tells which user a request is about, and who asks: the user by the token, or the admin, who may name anybody. */
import type { Database } from '@wavemill/prisma/database'
import { findUserId } from '@wavemill/prisma/users'
import type { FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import { type Admin, basicCredentialsOf } from './admin.ts'
import { authenticateRequest } from './authenticate-request.ts'
import { fieldProblem, Problem } from './problem.ts'
import { parseUserName } from './user-name.ts'
import { parseUuid } from './uuid.ts'

/** The admin gives one of the two; a user, who knows nobody else's, the first. */
export const UserQuery = Type.Object({
  user: Type.Optional(Type.String()),
  name: Type.Optional(Type.String()),
})

/** `token` is the one that the user brought. */
export type ConcernedUser =
  | { readonly userId: string; readonly by: 'user'; readonly token: string }
  | { readonly userId: string; readonly by: 'admin' }

/**
 * @throws Problem whatever {@link authenticateRequest} or {@link Admin.check} throw, `missing-field` or `bad-field` where
 * the query names nobody, or two; `unknown-user` if there is none, which only the admin is told.
 */
export async function concernedUserOf(
  { db, admin }: { readonly db: Database; readonly admin: Admin },
  request: FastifyRequest,
  query: Static<typeof UserQuery>,
): Promise<ConcernedUser> {
  if (basicCredentialsOf(request) !== undefined) {
    admin.check(request)
    const userId = await findUserId(db, namedUser(query))
    if (userId === undefined) throw new Problem('unknown-user', 'There is no such user.')
    return { userId, by: 'admin' }
  }
  if (query.user === undefined) throw fieldProblem('missing-field', 'user', '"user" is missing.')
  return { ...(await authenticateRequest(db, request, query.user)), by: 'user' }
}

function namedUser({ user, name }: Static<typeof UserQuery>): { id: string } | { name: string } {
  if (user !== undefined && name !== undefined)
    throw fieldProblem('bad-field', 'name', 'Either "user" or "name", not both.')
  if (name !== undefined) return { name: parseUserName(name) }
  if (user === undefined) throw fieldProblem('missing-field', 'user', '"user" is missing, or "name".')
  const id = parseUuid(user)
  if (id === undefined) throw fieldProblem('bad-field', 'user', '"user" must be a UUID.')
  return { id }
}
