/** Collects the routes that an app has, with their schemas, for their description. */
import type { FastifyInstance, FastifySchema } from 'fastify'

export interface CollectedRoute {
  readonly method: string
  readonly url: string
  readonly schema: FastifySchema
}

/** What is not described here: the dashboard and the page, which have no clients but themselves. */
export const HIDDEN = /^\/($|assets\/|queues(\/|$))/

/**
 * Must be called before the routes are added: it listens to them being added.
 *
 * @returns a list that fills as they come. A HEAD that Fastify adds to a GET is not in it.
 */
export function collectRoutes(app: FastifyInstance): readonly CollectedRoute[] {
  const routes: CollectedRoute[] = []
  app.addHook('onRoute', ({ url, method, schema = {} }) => {
    if (HIDDEN.test(url)) return
    for (const one of [method].flat()) {
      const isAdded = one === 'HEAD' && routes.some((route) => route.url === url && route.method === 'GET')
      if (!isAdded || Array.isArray(method)) routes.push({ method: one, url, schema })
    }
  })
  return routes
}
