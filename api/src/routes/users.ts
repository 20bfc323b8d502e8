/** POST /user: creates a user and shows the token, this once. */
import { randomUUID } from 'node:crypto'
import type { Database } from '@wavemill/prisma/database'
import { createUser } from '@wavemill/prisma/users'
import Type from 'typebox'
import { hashToken } from '../authenticate.ts'
import { Problem } from '../problem.ts'
import type { Route } from '../route.ts'
import { parseUserName } from '../user-name.ts'

const schema = {
  body: Type.Object({ name: Type.String() }, { additionalProperties: false }),
  response: { 201: Type.Object({ id: Type.String(), name: Type.String(), token: Type.String() }) },
}

export function createUserRoute({ db }: { readonly db: Database }): Route<typeof schema> {
  return {
    schema,
    async handler(request, reply) {
      const name = parseUserName(request.body.name)
      const user = { id: randomUUID(), name, token: randomUUID() }
      const outcome = await createUser(db, { id: user.id, name, tokenHash: hashToken(user.token) })
      if (outcome === 'name-taken') throw new Problem('name-taken', 'This name is taken.')
      return reply.code(201).send(user)
    },
  }
}
