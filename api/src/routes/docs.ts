/** GET /openapi.json and /docs: the description of all routes, for programs and for readers. */
import { createReadStream } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { baseUrlOf } from '../base-url.ts'
import type { CollectedRoute } from '../openapi/collect-routes.ts'
import { openApiDocument } from '../openapi/document.ts'
import type { AppParts } from '../parts.ts'
import { policies } from '../security-headers.ts'

/** Addresses are relative, so that the page also works where a proxy has it below a path. */
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Wavemill API</title>
</head>
<body>
<div id="reference"></div>
<noscript>This page needs JavaScript. The description itself is at <a href="openapi.json">openapi.json</a>.</noscript>
<script src="docs/start.js"></script>
<script src="docs/reference.js"></script>
</body>
</html>
`

/**
 * Everything in it that would name another host is off: fonts, a proxy for requests, a client in the cloud. And it tries
 * whether it may compile code (zod does, to be quicker): refused here, that is no breach of the policy which is reported.
 */
const START = `globalThis.Function = new Proxy(Function, {
  construct() {
    throw new EvalError('This page compiles no code')
  },
})
addEventListener('DOMContentLoaded', () =>
  Scalar.createApiReference('#reference', {
    url: 'openapi.json',
    withDefaultFonts: false,
    hideClientButton: true,
    showDeveloperTools: 'never',
    telemetry: false,
    documentDownloadType: 'direct',
    defaultOpenAllTags: true,
  }),
)
`

const SCRIPT_TYPE = 'text/javascript; charset=utf-8'

/** @param routes those of the whole app; looked at when the description is first asked for. */
export function docs({ settings }: AppParts, routes: readonly CollectedRoute[]) {
  return async (app: FastifyInstance): Promise<void> => {
    app.get('/openapi.json', async (request, reply) =>
      reply.send(openApiDocument(routes, baseUrlOf(request, settings.publicUrl))),
    )
    app.get('/docs', async (_request, reply) =>
      reply.header('content-security-policy', policies.docs).type('text/html; charset=utf-8').send(PAGE),
    )
    app.get('/docs/start.js', async (_request, reply) => reply.type(SCRIPT_TYPE).send(START))
    app.get('/docs/reference.js', async (_request, reply) =>
      reply
        .header('cache-control', 'public, max-age=3600')
        .type(SCRIPT_TYPE)
        .send(createReadStream(referencePath())),
    )
  }
}

/** Of the package only this file is used: all of Scalar's API reference in one script for browsers. */
function referencePath(): string {
  const entry = createRequire(import.meta.url).resolve('@scalar/fastify-api-reference')
  return join(dirname(entry), 'js', 'standalone.js')
}
