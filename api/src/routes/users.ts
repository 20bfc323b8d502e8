/** POST /user: creates a user and shows the token, this once. */
import { randomUUID } from 'node:crypto'
import type { Database } from '@wavemill/prisma/database'
import { createUser } from '@wavemill/prisma/users'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Admin } from '../admin.ts'
import { audit } from '../audit.ts'
import { hashToken } from '../authenticate.ts'
import type { ApiSettings } from '../parts.ts'
import { Problem } from '../problem.ts'
import type { Route } from '../route.ts'
import { parseUserName } from '../user-name.ts'

const schema = {
  body: Type.Object({ name: Type.String() }, { additionalProperties: false }),
  response: { 201: Type.Object({ id: Type.String(), name: Type.String(), token: Type.String() }) },
}

export function createUserRoute({
  db,
  admin,
  settings: { registration },
}: {
  readonly db: Database
  readonly admin: Admin
  readonly settings: Pick<ApiSettings, 'registration'>
}): Route<typeof schema> {
  return {
    schema,
    // Before the body is read.
    ...(registration === 'admin' && { onRequest: async (request: FastifyRequest) => admin.check(request) }),
    async handler(request, reply) {
      const name = parseUserName(request.body.name)
      const user = { id: randomUUID(), name, token: randomUUID() }
      const outcome = await createUser(db, { id: user.id, name, tokenHash: hashToken(user.token) })
      if (outcome === 'name-taken') throw new Problem('name-taken', 'This name is taken.')
      const by = registration === 'admin' ? 'admin' : 'user'
      audit(request, 'user-created', { userId: user.id, by })
      return reply.code(201).send(user)
    },
  }
}
