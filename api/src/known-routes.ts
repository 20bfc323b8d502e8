/** Which methods each path has: tells a wrong method (405) from a wrong path (404), and answers OPTIONS. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PREFLIGHT_ROUTE } from './cross-origin.ts'
import { Problem } from './problem.ts'

/** Must be called before the routes are added: it listens to them being added. */
export function answerUnknownRoutes(app: FastifyInstance): void {
  const routes: { readonly path: RegExp; readonly methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    if (url === PREFLIGHT_ROUTE) return
    routes.push({ path: pathPattern(url), methods: [method].flat() })
  })

  function answer(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const path = decode(request.url.split(/[?#]/, 1)[0] ?? '')
    const methods = routes.filter((route) => route.path.test(path)).flatMap((route) => route.methods)
    // A route of this method may itself find that it has nothing, as that of the dashboard's files does.
    if (methods.length === 0 || methods.includes(request.method))
      throw new Problem('not-found', 'There is nothing at this address.')
    const allow = [...new Set([...methods, 'OPTIONS'])].sort().join(', ')
    if (request.method === 'OPTIONS') return reply.code(204).header('allow', allow).send()
    throw new Problem('method-not-allowed', `This address takes ${allow} only.`, { headers: { allow } })
  }
  // In the first hook, because Fastify would read and judge the body before its handler for unknown routes.
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) return answer(request, reply)
  })
  app.setNotFoundHandler(answer)
}

/** `/queues/:name/*` as a pattern. */
function pathPattern(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part === '*') return '.*'
    return part.startsWith(':') ? '[^/]+' : part.replace(/[^\w-]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('/')}$`)
}

function decode(path: string): string {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}
