/** GET /health/live: the process answers. GET /health/ready: so does everything that it needs, or which does not. */
import { describeError } from '@wavemill/core/quiet-errors'
import { within } from '@wavemill/core/within'
import { pingDatabase } from '@wavemill/prisma/ping'
import Type from 'typebox'
import type { AppParts } from '../parts.ts'
import { Problem } from '../problem.ts'
import type { Route } from '../route.ts'

const CHECK_TIMEOUT_MS = 3_000

const liveSchema = { response: { 200: Type.Object({ status: Type.Literal('live') }) } }

export function liveRoute(): Route<typeof liveSchema> {
  return {
    schema: liveSchema,
    handler: async (_request, reply) => reply.send({ status: 'live' }),
  }
}

const readySchema = { response: { 200: Type.Object({ status: Type.Literal('ready') }) } }

export function readyRoute({ db, queue, wavStore }: AppParts): Route<typeof readySchema> {
  const checks = {
    database: () => pingDatabase(db),
    queue: () => queue.ping(),
    wavStore: () => wavStore.check(),
  }
  return {
    schema: readySchema,
    async handler(request, reply) {
      const results = Object.entries(checks).map(async ([name, check]) => {
        try {
          await within(CHECK_TIMEOUT_MS, name, check())
          return []
        } catch (error) {
          request.log.warn({ check: name, reason: describeError(error) }, 'not ready')
          return [name]
        }
      })
      const failing = (await Promise.all(results)).flat()
      if (failing.length === 0) return reply.send({ status: 'ready' })
      throw new Problem('unavailable', `Not ready: ${failing.join(', ')}.`, {
        headers: { 'retry-after': '5' },
        members: { failing },
      })
    },
  }
}
