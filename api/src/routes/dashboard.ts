/** /queues: BullMQ's dashboard (bull-board) behind the admin password; it is not there at all without one. */
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { FastifyAdapter } from '@bull-board/fastify'
import type { FastifyInstance } from 'fastify'
import type { Admin } from '../admin.ts'
import { audit } from '../audit.ts'
import type { AppParts } from '../parts.ts'
import { Problem, unavailable } from '../problem.ts'
import { policies } from '../security-headers.ts'

const PATH = '/queues'
/** A client of a queue that was never there waits for ever. */
const TIMEOUT_MS = 10_000

/** A plugin of routes. It needs nothing of the queue yet, so the queue may be away. */
export function dashboard({ queue, settings }: AppParts, admin: Admin) {
  return async (app: FastifyInstance): Promise<void> => {
    if (!admin.exists) return
    app.addHook('onRequest', async (request, reply) => {
      admin.check(request)
      reply.header('content-security-policy', policies.dashboard)
    })
    app.addHook('onResponse', async (request, reply) => {
      if (request.method === 'GET' || request.method === 'HEAD' || reply.statusCode >= 400) return
      const asked = `${request.method} ${request.url.replace(/[?#].*/s, '')}`
      audit(request, 'queue-changed', { by: 'admin', request: asked })
    })
    app.addHook('onRoute', (route) => {
      route.handlerTimeout = TIMEOUT_MS
    })

    const adapter = new FastifyAdapter()
    adapter.setBasePath(PATH)
    createBullBoard({
      queues: [new BullMQAdapter(queue.bull, { readOnlyMode: settings.dashboardReadOnly })],
      serverAdapter: adapter,
      options: { uiConfig: { boardTitle: 'Wavemill' } },
    })
    // The adapter's own handler would show internal messages: thrown on, errors reach the app's one handler.
    adapter.setErrorHandler((error) => {
      if (error instanceof Problem || 'statusCode' in error) throw error
      throw unavailable('The queue does not answer.', error)
    })
    await app.register(adapter.registerPlugin(), { prefix: PATH })
  }
}
