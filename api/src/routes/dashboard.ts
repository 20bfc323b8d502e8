/** /queues: BullMQ's dashboard (bull-board) behind the admin password; it is not there at all without one. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { FastifyAdapter } from '@bull-board/fastify'
import basicAuth from '@fastify/basic-auth'
import type { FastifyInstance } from 'fastify'
import type { AppParts } from '../parts.ts'
import { Problem, unavailable } from '../problem.ts'

const PATH = '/queues'
/** A client of a queue that was never there waits for ever. */
const TIMEOUT_MS = 10_000

/** A plugin of routes. It needs nothing of the queue yet, so the queue may be away. */
export function dashboard({ queue, settings }: AppParts) {
  return async (app: FastifyInstance): Promise<void> => {
    const { adminUser, adminPassword, dashboardReadOnly } = settings
    if (adminPassword === undefined) return
    const expected = digestOf(adminUser, adminPassword)

    await app.register(basicAuth, {
      authenticate: { realm: 'Wavemill' },
      async validate(user, password) {
        if (timingSafeEqual(digestOf(user, password), expected)) return
        throw new Problem('unauthorized', 'This is not the admin user and password.')
      },
    })
    app.addHook('onRequest', app.basicAuth)
    app.addHook('onRoute', (route) => {
      route.handlerTimeout = TIMEOUT_MS
    })

    const adapter = new FastifyAdapter()
    adapter.setBasePath(PATH)
    createBullBoard({
      queues: [new BullMQAdapter(queue.bull, { readOnlyMode: dashboardReadOnly })],
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

/** Of one length whatever was given, so that a comparison takes one time. */
function digestOf(user: string, password: string): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([user, password]))
    .digest()
}
