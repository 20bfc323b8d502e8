/** Refuses what costs, by address and in all, before it has cost anything; polls and downloads go on. */
import { getHeapStatistics } from 'node:v8'
import underPressure from '@fastify/under-pressure'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Limits } from './parts.ts'
import { Problem } from './problem.ts'
import { addressOf, type Rates } from './rates.ts'

/** Of the heap that V8 allows itself; beyond that it does little but collect garbage. */
const MAX_HEAP_SHARE = 0.85
const RETRY_AFTER = '10'

const COSTLY = new Set(['POST /user', 'POST /record'])
const READS = new Set(['/record', '/record/status', '/record/events', '/records', '/records/events'])

/** Must be called before the routes are added. */
export async function shedLoad(app: FastifyInstance, rates: Rates, limits: Limits): Promise<void> {
  await app.register(underPressure, {
    maxEventLoopDelay: limits.maxEventLoopDelayMs,
    maxHeapUsedBytes: getHeapStatistics().heap_size_limit * MAX_HEAP_SHARE,
    // Whoever asks whether the process lives must be told so: to restart it now would make it worse.
    async pressureHandler(request, _reply, type, value) {
      if (!COSTLY.has(routeOf(request))) return
      request.log.warn({ type, value }, 'under pressure')
      const detail = 'The service has too much to do. Try again in a moment.'
      throw new Problem('overloaded', detail, { headers: { 'retry-after': RETRY_AFTER } })
    },
  })
  app.addHook('onRequest', async (request, reply) => {
    if (routeOf(request) === 'POST /user') await rates.newUsers(addressOf(request), request, reply)
    else if (isRead(request)) await rates.reads(addressOf(request), request, reply)
  })
}

function routeOf({ method, routeOptions }: FastifyRequest): string {
  return `${method} ${routeOptions.url}`
}

function isRead({ method, routeOptions }: FastifyRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && READS.has(routeOptions.url ?? '')
}
