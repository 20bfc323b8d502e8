/** Tells whether a request is the admin's: by HTTP Basic, guessed only so often, and never on behalf of another site. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { audit } from './audit.ts'
import type { LoginAttempts } from './login-attempts.ts'
import type { ApiSettings } from './parts.ts'
import { Problem } from './problem.ts'
import { addressOf } from './rates.ts'

export interface Admin {
  /** False without a password: then nobody is the admin. */
  readonly exists: boolean
  /** @throws Problem `unauthorized`, `too-many-logins` or `cross-site` if it is not the admin who asks. */
  check(request: FastifyRequest): void
}

export function createAdmin(
  { adminUser, adminPassword }: Pick<ApiSettings, 'adminUser' | 'adminPassword'>,
  attempts: LoginAttempts,
): Admin {
  const expected = adminPassword === undefined ? undefined : digestOf(`${adminUser}:${adminPassword}`)

  return {
    exists: expected !== undefined,
    check(request) {
      const given = basicCredentialsOf(request)
      if (given === undefined) throw adminOnly() // how a browser's login begins: no guess
      const address = addressOf(request)
      const waitMs = attempts.msToWait(address)
      if (waitMs > 0) {
        audit(request, 'login-throttled')
        throw tooManyLogins(waitMs)
      }
      // Always compared, so that the time tells nothing either of whether there is an admin.
      const isEqual = timingSafeEqual(digestOf(given), expected ?? nobody)
      if (!isEqual || expected === undefined) {
        attempts.noteWrong(address)
        audit(request, 'login-refused')
        throw adminOnly()
      }
      refuseOtherSites(request)
    },
  }
}

/** No credentials have this digest that anybody could find. */
const nobody = Buffer.alloc(32)

/** Of one length whatever was given, so that a comparison takes one time. */
function digestOf(credentials: string): Buffer {
  return createHash('sha256').update(credentials).digest()
}

/** @returns `user:password` (RFC 7617, in UTF-8); undefined where the header has another scheme, or is not there. */
export function basicCredentialsOf({ raw }: FastifyRequest): string | undefined {
  const [header = '', ...others] = raw.headersDistinct.authorization ?? []
  const encoded = /^basic +([\w+/~.-]+=*) *$/i.exec(header)?.[1]
  if (encoded === undefined || others.length > 0) return undefined
  return Buffer.from(encoded, 'base64').toString('utf8')
}

/** A browser adds the admin's stored password to whatever any site makes it ask for, forms among it. */
function refuseOtherSites({ method, headers }: FastifyRequest): void {
  if (method === 'GET' || method === 'HEAD') return
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return
  throw new Problem('cross-site', 'The admin is not obeyed through the pages of other sites.')
}

function adminOnly(): Problem {
  return new Problem('unauthorized', 'This needs the admin user and password.', {
    headers: { 'www-authenticate': 'Basic realm="Wavemill", charset="UTF-8"' },
  })
}

function tooManyLogins(waitMs: number): Problem {
  const seconds = String(Math.ceil(waitMs / 1000))
  return new Problem(
    'too-many-logins',
    `Too many wrong passwords from your address. Try again in ${seconds} s.`,
    {
      headers: { 'retry-after': seconds },
    },
  )
}
