/** POST /user/token: gives the user a new token, and ends the old one. */
import { randomUUID } from 'node:crypto'
import type { Database } from '@wavemill/prisma/database'
import { replaceTokenHash } from '@wavemill/prisma/users'
import Type from 'typebox'
import { hashToken } from '../authenticate.ts'
import { authenticateRequest } from '../authenticate-request.ts'
import { unauthorized } from '../problem.ts'
import type { Route } from '../route.ts'

const schema = {
  querystring: Type.Object({ user: Type.String() }),
  response: { 200: Type.Object({ token: Type.String() }) },
}

export function renewTokenRoute({ db }: { readonly db: Database }): Route<typeof schema> {
  return {
    schema,
    async handler(request, reply) {
      const { userId, token: old } = await authenticateRequest(db, request, request.query.user)
      const token = randomUUID()
      // Of two who renew the same token at once, one has the new one; to the other it is the old one already.
      if (!(await replaceTokenHash(db, userId, { from: hashToken(old), to: hashToken(token) })))
        throw unauthorized()
      return reply.send({ token })
    },
  }
}
