/** What a description of a route consists of: the words and examples that its schemas do not have. */
import type { ProblemCode } from '../problem.ts'
import type { AnswerHeader, RequestHeader } from './headers.ts'

export interface MediaType {
  /** JSON Schema of draft 2020-12, as OpenAPI 3.1 has it. Left out where the bytes are no text. */
  readonly schema?: object
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}

/** Media types by their names. */
export type Content = Readonly<Record<string, MediaType>>

/** An answer that is no problem. */
export interface Answer {
  readonly description: string
  /** Those that it always has. */
  readonly headers?: readonly AnswerHeader[]
  /** Those that it has under a condition. */
  readonly mayHave?: readonly AnswerHeader[]
  /** A body of the JSON that the route's own schema describes. */
  readonly example?: unknown
  /** Bodies that are no JSON. */
  readonly content?: Content
}

export interface Operation {
  /** Unique, in camel case: generated clients name a function after it. */
  readonly id: string
  readonly tag: 'Users' | 'Recordings' | 'Service'
  readonly summary: string
  readonly description: string
  /** The Bearer token: always, or left out where another field brings it. */
  readonly token?: 'required' | 'optional'
  /** The admin password, instead of the token. */
  readonly admin?: true
  readonly headers?: readonly RequestHeader[]
  /** Bodies, where the route has no schema for them. */
  readonly body?: Content
  readonly bodyExample?: unknown
  readonly answers: Readonly<Record<number, Answer>>
  /** Beside those that every address has. */
  readonly problems: readonly ProblemCode[]
}
