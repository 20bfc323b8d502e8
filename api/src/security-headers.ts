/** What browsers may do with each answer: the one place that says which page has which Content-Security-Policy. */
import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'

const nothingFromOutside = {
  'default-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
}

/** By directive. A page sets its own; every other answer has the first one. */
function policy(directives: Readonly<Record<string, string>>): string {
  return Object.entries({ ...nothingFromOutside, ...directives })
    .map(([name, sources]) => `${name} ${sources}`)
    .join('; ')
}

export const policies = {
  /** Of whatever is no page: problems, JSON, scripts. */
  api: policy({}),
  /**
   * Of an MP3, which is a stranger's file. A browser that opens the link plays it in a page of its own: that page must be
   * allowed to load the MP3, and nothing else.
   */
  mp3: {
    attachment: "default-src 'none'; sandbox",
    inline: "default-src 'none'; media-src 'self'; sandbox allow-same-origin",
  },
  /** Of the page for people. The waveform styles itself with an element of its own, which needs the nonce. */
  page: (nonce: string) =>
    policy({
      'script-src': "'self'",
      'style-src': `'self' 'nonce-${nonce}'`,
      'img-src': "'self'",
      'media-src': "'self'",
      'font-src': "'self'",
      'connect-src': "'self'",
    }),
  /** Of /docs. The reference styles its elements itself, and draws its icons from data. */
  docs: policy({
    'script-src': "'self'",
    'style-src': "'self' 'unsafe-inline'",
    'img-src': "'self' data:",
    'font-src': "'self' data:",
    'connect-src': "'self'",
  }),
  /** Of bull-board, which styles its elements itself too, and whose base element says where it lies. */
  dashboard: policy({
    'script-src': "'self'",
    'style-src': "'self' 'unsafe-inline'",
    'img-src': "'self' data:",
    'font-src': "'self' data:",
    'connect-src': "'self'",
    'base-uri': "'self'",
  }),
} as const

/** Must come before all hooks that refuse something, so that their answers have the headers too. What a route sets itself wins. */
export async function setSecurityHeaders(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: false, // below: helmet's own way is to parse it anew for each request
    referrerPolicy: { policy: 'no-referrer' }, // links are secrets
    // A link may be played inside another site's page: knowing it is what lets one in.
    crossOriginResourcePolicy: { policy: 'cross-origin' },
    strictTransportSecurity: false, // whether there is TLS, and for how long, is the proxy's to say
    xFrameOptions: { action: 'deny' },
  })
  app.addHook('onRequest', async (_request, reply) => {
    reply.raw.setHeader('content-security-policy', policies.api)
  })
}
