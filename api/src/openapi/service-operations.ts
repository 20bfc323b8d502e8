/** Describes the addresses of the service itself: its health, and this description. */
import type { Operation } from './operation.ts'

const script = { 'text/javascript': { schema: { type: 'string' } } }

export const serviceOperations: Readonly<Record<string, Operation>> = {
  'GET /health/live': {
    id: 'isLive',
    tag: 'Service',
    summary: 'Whether the process answers',
    description: 'Asks nothing else.',
    answers: { 200: { description: 'It does.', example: { status: 'live' } } },
    problems: [],
  },
  'GET /health/ready': {
    id: 'isReady',
    tag: 'Service',
    summary: 'Whether everything that it needs is there',
    description: 'The database, the queue and the WAV store. 503 names what is away.',
    answers: { 200: { description: 'It is.', example: { status: 'ready' } } },
    problems: [],
  },
  'GET /openapi.json': {
    id: 'openApi',
    tag: 'Service',
    summary: 'This description',
    description: 'OpenAPI 3.1.',
    answers: {
      200: { description: 'The document.', content: { 'application/json': { schema: { type: 'object' } } } },
    },
    problems: [],
  },
  'GET /docs': {
    id: 'docs',
    tag: 'Service',
    summary: 'This description, to read and to try',
    description: 'Needs no internet: all that it loads comes from here.',
    answers: {
      200: {
        description: 'The page.',
        headers: ['Content-Security-Policy', 'X-Content-Type-Options'],
        content: { 'text/html': { schema: { type: 'string' } } },
      },
    },
    problems: [],
  },
  'GET /docs/start.js': {
    id: 'docsStart',
    tag: 'Service',
    summary: 'What the page of the description starts with',
    description: 'A script.',
    answers: { 200: { description: 'The script.', headers: ['X-Content-Type-Options'], content: script } },
    problems: [],
  },
  'GET /docs/reference.js': {
    id: 'docsReference',
    tag: 'Service',
    summary: 'What shows the description',
    description: "Scalar's API reference, a script.",
    answers: {
      200: {
        description: 'The script.',
        headers: ['X-Content-Type-Options', 'Cache-Control'],
        content: script,
      },
    },
    problems: [],
  },
}
