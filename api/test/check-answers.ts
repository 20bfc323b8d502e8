/** Compares every answer that a server gives in a test with the OpenAPI document; the test fails where they differ. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterAll, afterEach } from 'vitest'
import { HIDDEN } from '../src/openapi/collect-routes.ts'
import type { DescribedOperation } from '../src/openapi/describe-operation.ts'
import type { OpenApiDocument } from '../src/openapi/document.ts'

const faults: string[] = []
afterEach(reportFaults)
afterAll(reportFaults)

/** Called after each test that has a server. @throws Error that names every answer which was wrong since the last call. */
export function reportFaults(): void {
  const found = [...new Set(faults.splice(0))]
  if (found.length > 0) throw new Error(`Answers that /openapi.json does not describe:\n${found.join('\n')}`)
}

/** Whatever client asks: what is compared is what goes out, at the moment at which it is whole. */
export function checkAnswers(server: Server, document: OpenApiDocument): void {
  const check = createChecker(document)
  for (const event of ['request', 'checkExpectation']) {
    server.prependListener(event, (request: IncomingMessage, response: ServerResponse) => {
      const { method = '', url = '' } = request // before the router changes it
      onWhole(response, (body) => {
        const fault = check({ method, path: pathOf(url), response, body })
        if (fault !== undefined) faults.push(`${method} ${pathOf(url)} -> ${response.statusCode}: ${fault}`)
      })
    })
  }
}

/** Calls `then` with the text of JSON answers, and with nothing of others: they may be large. */
function onWhole(response: ServerResponse, then: (body: string) => void): void {
  const pieces: Buffer[] = []
  const note = (piece: unknown) => {
    if (!/json/.test(headerOf(response, 'content-type'))) return
    if (typeof piece === 'string' || piece instanceof Uint8Array) pieces.push(Buffer.from(piece))
  }
  response.write = new Proxy(response.write, {
    apply(write, self, args: unknown[]) {
      note(args[0])
      return Reflect.apply(write, self, args)
    },
  })
  response.end = new Proxy(response.end, {
    apply(end, self, args: unknown[]) {
      const result = Reflect.apply(end, self, args)
      note(args[0])
      then(Buffer.concat(pieces).toString())
      return result
    },
  })
}

interface Answered {
  readonly method: string
  readonly path: string
  readonly response: ServerResponse
  readonly body: string
}

/** @returns a function that says what is wrong with an answer, if anything is. */
function createChecker(document: OpenApiDocument): (answer: Answered) => string | undefined {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(document, 'openapi.json')

  function faultOfJson(body: string, pointer: readonly string[]): string | undefined {
    const validate = ajv.getSchema(`openapi.json#${pointer.map(escapePointer).join('')}`)
    if (validate === undefined) return `there is no schema at ${pointer.join(' ')}`
    return validate(JSON.parse(body)) ? undefined : `${ajv.errorsText(validate.errors)} in ${body}`
  }

  return ({ method, path, response, body }) => {
    if (HIDDEN.test(path)) return undefined
    const type = headerOf(response, 'content-type').replace(/;.*/s, '')
    const key = methodKey(document, path, method)
    const operation = key === undefined ? undefined : document.paths[path]?.[key]
    if (key === undefined || operation === undefined) {
      if (response.statusCode === 204 && method === 'OPTIONS') return undefined
      if (type !== 'application/problem+json') return 'there is no such route, and this is no problem'
      return method === 'HEAD' ? undefined : faultOfJson(body, ['components', 'schemas', 'Problem'])
    }
    const status = String(response.statusCode)
    const described = operation.responses[status]
    if (described === undefined) return `the status is not listed; the answer is ${body || type}`
    const missing = missingHeaders(described.headers, response)
    if (missing.length > 0) return `without ${missing.join(', ')}`
    if (method === 'HEAD' || response.statusCode === 304) return undefined
    if (described.content === undefined) return type === '' ? undefined : `a body of ${type} is not listed`
    if (described.content[type] === undefined) return `the Content-Type "${type}" is not listed`
    if (!/json/.test(type)) return undefined
    return faultOfJson(body, ['paths', path, key, 'responses', status, 'content', type, 'schema'])
  }
}

/** HEAD of what has no description of its own is its GET without the body. */
function methodKey(document: OpenApiDocument, path: string, method: string): string | undefined {
  const operations: Readonly<Record<string, DescribedOperation>> = document.paths[path] ?? {}
  const candidates = method === 'HEAD' ? ['head', 'get'] : [method.toLowerCase()]
  return candidates.find((candidate) => Object.hasOwn(operations, candidate))
}

function missingHeaders(
  headers: Readonly<Record<string, { readonly required: boolean }>>,
  response: ServerResponse,
): string[] {
  return Object.keys(headers).filter((name) => headers[name]?.required === true && !response.hasHeader(name))
}

function headerOf(response: ServerResponse, name: string): string {
  return String(response.getHeader(name) ?? '')
}

function pathOf(url: string): string {
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*/s, '')
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}

/** One step of a JSON pointer inside a URI fragment (RFC 6901, section 6). */
function escapePointer(step: string): string {
  return `/${encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))}`
}
