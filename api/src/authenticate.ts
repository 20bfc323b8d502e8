/** Tells whether a token is a user's own, without telling anybody whether there is such a user. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Database } from '@wavemill/prisma/database'
import { findTokenHash } from '@wavemill/prisma/users'
import type { FastifyRequest } from 'fastify'
import { type Asker, audit } from './audit.ts'
import { fieldProblem, unauthorized } from './problem.ts'
import { parseUuid } from './uuid.ts'

/** What is compared for an unknown user. No token has this hash that anybody could find. */
const nobody = Buffer.alloc(32)

/** @param token a UUID in lower case. @returns SHA-256, which is all that is stored of a token. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/**
 * @param credentials both UUIDs in lower case. @param asker is noted where they are wrong.
 * @throws Problem `unauthorized`, after the same work and with the same text for an unknown user and a wrong token.
 */
export async function authenticate(
  db: Database,
  credentials: { readonly user: string; readonly token: string },
  asker: Asker,
): Promise<void> {
  const stored = await findTokenHash(db, credentials.user)
  const isEqual = timingSafeEqual(hashToken(credentials.token), stored ?? nobody)
  if (isEqual && stored !== undefined) return
  audit(asker, 'token-refused', { userId: credentials.user })
  throw unauthorized()
}

/**
 * The token of `Authorization: Bearer` (RFC 6750). Other schemes are not ours: a proxy before us may use them.
 *
 * @throws Problem `bad-field` if it is no UUID, `duplicate-field` if the header comes twice.
 */
export function bearerTokenOf(request: FastifyRequest): string | undefined {
  const [header = '', ...others] = request.raw.headersDistinct.authorization ?? []
  if (others.length > 0)
    throw fieldProblem(
      'duplicate-field',
      'authorization',
      'The Authorization header is given more than once.',
    )
  const given = /^bearer +(.*)$/i.exec(header)?.[1]
  if (given === undefined) return undefined
  const token = parseUuid(given.trim())
  if (token === undefined)
    throw fieldProblem('bad-field', 'authorization', 'The Bearer token must be a UUID.')
  return token
}
