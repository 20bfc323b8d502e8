/** How often somebody may ask for something in a minute: counted by all API processes together where there is a Redis, else by each. */
import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AppParts } from './parts.ts'
import { Problem } from './problem.ts'

const WINDOW_MS = 60_000

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose requests are counted: an address or a user, and for what. */
    rateKey: string
  }
}

/**
 * Counts one more of `whose` and says in the answer's headers what is left (draft-ietf-httpapi-ratelimit-headers).
 *
 * @throws Problem `rate-limited` if it was one too many.
 */
export type Rate = (whose: string, request: FastifyRequest, reply: FastifyReply) => Promise<void>

export interface Rates {
  /** Of an address. */
  readonly newUsers: Rate
  /** Of a user. */
  readonly uploads: Rate
  /** Of an address. */
  readonly reads: Rate
}

export async function createRates(
  app: FastifyInstance,
  { queue, settings }: Pick<AppParts, 'queue' | 'settings'>,
): Promise<Rates> {
  app.decorateRequest('rateKey', '')
  await app.register(rateLimit, {
    global: false,
    redis: queue.redis,
    nameSpace: 'wavemill-rate-',
    skipOnError: true, // while Redis is away nobody is counted, and nobody is refused
  })

  function perMinute(what: string, max: number): Rate {
    if (max === Infinity) return async () => {}
    const count = app.createRateLimit({
      max,
      timeWindow: WINDOW_MS,
      keyGenerator: ({ rateKey }) => rateKey,
    })
    return async (whose, request, reply) => {
      request.rateKey = `${what} ${whose}`
      const counted = await count(request)
      if (counted.isAllowed) return // somebody of an allow list, which we have not
      const seconds = String(counted.ttlInSeconds)
      reply.headers({
        'ratelimit-limit': String(max),
        'ratelimit-remaining': String(counted.remaining),
        'ratelimit-reset': seconds,
      })
      if (!counted.isExceeded) return
      const detail = `There are ${max} ${what} a minute, and no more. Try again in ${seconds} s.`
      throw new Problem('rate-limited', detail, { headers: { 'retry-after': seconds } })
    }
  }
  return {
    newUsers: perMinute('new users', settings.newUsersPerMinute),
    uploads: perMinute('uploads', settings.uploadsPerMinute),
    reads: perMinute('reads', settings.readsPerMinute),
  }
}

/** Of IPv6 a whole /64 is one address: whoever has one of them has them all. */
export function addressOf(request: FastifyRequest): string {
  const ip: string | undefined = request.ip // whatever the types say: it is gone with its connection
  return ip === undefined ? '' : normalizeIP(ip)
}
