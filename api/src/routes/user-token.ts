/** POST /user/token: gives the user a new token, and ends the old one; the admin may ask for it where the token is lost. */
import { randomUUID } from 'node:crypto'
import type { Database } from '@wavemill/prisma/database'
import { replaceTokenHash } from '@wavemill/prisma/users'
import Type from 'typebox'
import type { Admin } from '../admin.ts'
import { audit } from '../audit.ts'
import { hashToken } from '../authenticate.ts'
import { concernedUserOf, UserQuery } from '../concerned-user.ts'
import { Problem, unauthorized } from '../problem.ts'
import type { Route } from '../route.ts'

const schema = {
  querystring: UserQuery,
  response: { 200: Type.Object({ id: Type.String(), token: Type.String() }) },
}

/** The answer names the user's id too: whoever never saw the answer that made the user knows the name alone. */
export function renewTokenRoute(parts: {
  readonly db: Database
  readonly admin: Admin
}): Route<typeof schema> {
  return {
    schema,
    async handler(request, reply) {
      const user = await concernedUserOf(parts, request, request.query)
      const token = randomUUID()
      // Of two who renew the same token at once, one has the new one; to the other it is the old one already.
      const from = user.by === 'user' ? hashToken(user.token) : undefined
      if (!(await replaceTokenHash(parts.db, user.userId, { from, to: hashToken(token) }))) {
        if (user.by === 'user') throw unauthorized()
        throw new Problem('unknown-user', 'There is no such user any more.')
      }
      audit(request, 'token-renewed', user)
      return reply.send({ id: user.userId, token })
    },
  }
}
