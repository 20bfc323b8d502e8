/** Describes one route in OpenAPI's words: its parameters, its body, and every answer that it can give. */
import type { CollectedRoute } from './collect-routes.ts'
import { type DescribedAnswer, describeAnswer } from './describe-answer.ts'
import { requestHeaders } from './headers.ts'
import { isObject, schemaMember } from './json-schema.ts'
import type { Content, Operation } from './operation.ts'
import { problemAnswers } from './problem-answers.ts'
import { queryFields } from './query-fields.ts'

interface Parameter {
  readonly name: string
  readonly in: 'query' | 'header'
  readonly required: boolean
  readonly description: string
  readonly schema: unknown
  readonly example: unknown
}

export interface DescribedOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description: string
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters: readonly Parameter[]
  readonly requestBody?: { readonly required: true; readonly content: Content }
  /** By status. */
  readonly responses: Readonly<Record<string, DescribedAnswer>>
}

/** @throws Error for a query field that is not described. */
export function describeOperation(
  { method, schema }: CollectedRoute,
  operation: Operation,
): DescribedOperation {
  const { id, tag, summary, description, problems } = operation
  const answers = Object.entries({ ...operation.answers, ...problemAnswers(problems) })
  const hasBody = method !== 'HEAD'
  const responses = answers.map(([status, answer]) => {
    const json = schemaMember(schema.response, status)
    return [status, describeAnswer(answer, { json, hasBody })] as const
  })
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    security: securityOf(operation),
    parameters: [...queryParameters(schema.querystring), ...headerParameters(operation)],
    ...requestBodyOf(operation, schema.body),
    responses: Object.fromEntries(responses),
  }
}

/** One of them is enough; an empty one says that it goes without. */
function securityOf({ token, admin }: Operation): DescribedOperation['security'] {
  const isOpen = token === 'optional' || (token === undefined && admin === true)
  return [
    ...(token === undefined ? [] : [{ token: [] }]),
    ...(admin === undefined ? [] : [{ admin: [] }]),
    ...(isOpen ? [{}] : []),
  ]
}

/** The schema that validates the query, taken apart. */
function queryParameters(schema: unknown): Parameter[] {
  const properties = schemaMember(schema, 'properties')
  const required = schemaMember(schema, 'required')
  if (!isObject(properties)) return []
  return Object.entries(properties).map(([name, property]) => {
    const field = queryFields[name]
    if (field === undefined) throw new Error(`The query field ${name} is not described in openapi/`)
    const isRequired = Array.isArray(required) && required.includes(name)
    return { name, in: 'query', required: isRequired, schema: property, ...field }
  })
}

function headerParameters({ headers = [] }: Operation): Parameter[] {
  return headers.map((name) => ({ name, in: 'header', required: false, ...requestHeaders[name] }))
}

function requestBodyOf(
  { body, bodyExample: example }: Operation,
  schema: unknown,
): Pick<DescribedOperation, 'requestBody'> {
  if (body === undefined) return {}
  const content = Object.entries(body).map(([type, media]) => [
    type,
    { ...(isObject(schema) && { schema }), ...(example !== undefined && { example }), ...media },
  ])
  return { requestBody: { required: true, content: Object.fromEntries(content) } }
}
