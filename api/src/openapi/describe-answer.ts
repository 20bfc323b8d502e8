/** Describes one answer in OpenAPI's words: its headers, and its body. */
import { type AnswerHeader, answerHeaders } from './headers.ts'
import { isObject } from './json-schema.ts'
import type { Answer, Content } from './operation.ts'

export interface DescribedAnswer {
  readonly description: string
  /** By name; an answer has all that are required. */
  readonly headers: Readonly<Record<string, { readonly required: boolean }>>
  /** Nothing where there is no body. */
  readonly content?: Content
}

/** Whatever is answered. */
const HEADERS_OF_ALL: readonly AnswerHeader[] = ['X-Request-Id']

/** @param route.json the schema that its JSON is written by, where the route has one. */
export function describeAnswer(
  answer: Answer,
  { json, hasBody }: { readonly json: unknown; readonly hasBody: boolean },
): DescribedAnswer {
  const { description, headers = [], mayHave = [] } = answer
  const content = hasBody ? (answer.content ?? jsonContent(answer, json)) : undefined
  return {
    description,
    headers: {
      ...describeHeaders([...HEADERS_OF_ALL, ...headers], true),
      ...describeHeaders(mayHave, false),
    },
    ...(content !== undefined && { content }),
  }
}

function describeHeaders(names: readonly AnswerHeader[], required: boolean): DescribedAnswer['headers'] {
  return Object.fromEntries(names.map((name) => [name, { ...answerHeaders[name], required }]))
}

function jsonContent({ example }: Answer, schema: unknown): Content | undefined {
  if (example === undefined || !isObject(schema)) return undefined
  return { 'application/json': { schema, example } }
}
