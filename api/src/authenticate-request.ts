/** Tells whose a request is that names its user in the query and brings the token as a Bearer header. */
import type { Database } from '@wavemill/prisma/database'
import type { FastifyRequest } from 'fastify'
import { authenticate, bearerTokenOf } from './authenticate.ts'
import { fieldProblem } from './problem.ts'
import { parseUuid } from './uuid.ts'

/** Both UUIDs in lower case. */
export interface Owner {
  readonly userId: string
  readonly token: string
}

/**
 * @param user as the query has it.
 * @throws Problem `missing-field`, `duplicate-field` or `bad-field` for what is no user and token, `unauthorized` for the wrong one.
 */
export async function authenticateRequest(
  db: Database,
  request: FastifyRequest,
  user: string,
): Promise<Owner> {
  const userId = parseUuid(user)
  if (userId === undefined) throw fieldProblem('bad-field', 'user', '"user" must be a UUID.')
  const token = bearerTokenOf(request)
  if (token === undefined)
    throw fieldProblem(
      'missing-field',
      'authorization',
      'The token is missing: Authorization: Bearer <token>.',
    )
  await authenticate(db, { user: userId, token }, request)
  return { userId, token }
}
