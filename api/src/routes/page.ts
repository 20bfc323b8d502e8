/** GET /: the page for people, as web/ builds it, under a policy that lets it load nothing from anywhere else. */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { policies } from '../security-headers.ts'

/** In the place of each nonce in the built page. */
const NONCE = '__NONCE__'

/** A plugin of routes. @throws Error if the page was not built. */
export async function page(app: FastifyInstance): Promise<void> {
  const index = createRequire(import.meta.url).resolve('@wavemill/web/page/index.html')
  const html = await readFile(index, 'utf8')
  app.get('/', async (_request, reply) => {
    const nonce = randomBytes(16).toString('base64')
    return reply
      .headers({
        'content-security-policy': policies.page(nonce),
        'permissions-policy': 'microphone=(self)',
      })
      .type('text/html; charset=utf-8')
      .send(html.replaceAll(NONCE, nonce))
  })
  await app.register(async (scope) => {
    await scope.register(fastifyStatic, {
      root: join(dirname(index), 'assets'),
      prefix: '/assets/',
      wildcard: false, // a route for each file: what is not there is an unknown address
      decorateReply: false,
      preCompressed: true,
      immutable: true, // their names hold their digests
      maxAge: '365d',
    })
  })
}
