/** Makes the OpenAPI 3.1 document: the routes' own schemas, and what is said of them beside. */
import type { CollectedRoute } from './collect-routes.ts'
import { type DescribedOperation, describeOperation } from './describe-operation.ts'
import type { Operation } from './operation.ts'
import { ProblemDocument } from './problem-answers.ts'
import { recordOperations } from './record-operations.ts'
import { serviceOperations } from './service-operations.ts'
import { userOperations } from './user-operations.ts'

const operations: Readonly<Record<string, Operation>> = {
  ...userOperations,
  ...recordOperations,
  ...serviceOperations,
}

export interface OpenApiDocument {
  readonly openapi: string
  readonly servers: readonly { readonly url: string }[]
  /** By path, then by method in lower case. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>
}

/**
 * @param baseUrl where clients reach this service.
 * @throws Error for a route that is not described, or a description that has no route.
 */
export function openApiDocument(routes: readonly CollectedRoute[], baseUrl: string): OpenApiDocument {
  const paths: Record<string, Record<string, DescribedOperation>> = {}
  const left = new Set(Object.keys(operations))
  for (const route of routes) {
    const name = `${route.method} ${route.url}`
    const operation = operations[name]
    if (operation === undefined) throw new Error(`${name} is not described in openapi/`)
    left.delete(name)
    paths[route.url] = {
      ...paths[route.url],
      [route.method.toLowerCase()]: describeOperation(route, operation),
    }
  }
  if (left.size > 0) throw new Error(`openapi/ describes routes that are not there: ${[...left].join(', ')}`)
  return { ...frame, servers: [{ url: baseUrl }], paths }
}

const frame = {
  openapi: '3.1.0',
  info: {
    title: 'Wavemill',
    version: '0.1.0',
    summary: 'WAV in, MP3 out.',
    description:
      'Create a user, upload recordings, get a link to each one as MP3. Errors are problem details (RFC 9457) with a `code`.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  tags: [
    { name: 'Users', description: 'Whoever uploads. The token is theirs alone.' },
    {
      name: 'Recordings',
      description: 'A link is all that is needed to see and download one: keep it secret.',
    },
    { name: 'Service', description: 'Its health, and its description.' },
  ],
  components: {
    schemas: { Problem: ProblemDocument },
    securitySchemes: {
      token: { type: 'http', scheme: 'bearer', description: 'The token of the user, a UUID.' },
      admin: { type: 'http', scheme: 'basic', description: 'ADMIN_USER and ADMIN_PASSWORD.' },
    },
  },
}
