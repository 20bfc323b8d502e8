/** Turns whatever was thrown into the problem that the client is told; what it must not know stays in `cause`. */

import { OptionError } from '@wavemill/core/encode-options'
import { WavError } from '@wavemill/core/wav-error'
import { isDatabaseAway } from '@wavemill/prisma/database-away'
import { NoSuchUser } from '@wavemill/prisma/no-such-user'
import { QuotaExceeded } from '@wavemill/prisma/quota'
import type { FastifyError, FastifySchemaValidationError } from 'fastify'
import { quotaProblem } from './admission.ts'
import { fieldProblem, outOfSpace, Problem, type ProblemCode, unauthorized, unavailable } from './problem.ts'

/** @param error anything that a route, a plugin, Fastify or Node threw. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof WavError) return new Problem(error.code, error.message)
  if (error instanceof OptionError) return fromOption(error)
  if (error instanceof NoSuchUser) return unauthorized() // deleted since the request was let in
  if (error instanceof QuotaExceeded) return quotaProblem(error)
  if (isOutOfSpace(error)) return outOfSpace(error)
  if (isDatabaseAway(error)) return unavailable('The database is away. Try again in a moment.', error)
  if (isFastifyError(error)) return fromFastify(error)
  return new Problem('internal', 'Something went wrong here. It was logged.', { cause: error })
}

function fromOption({ field, message, allowed }: OptionError): Problem {
  const members = allowed.length === 0 ? { field } : { field, allowed }
  return new Problem('bad-field', message, { members })
}

/** True for a full disk or an exhausted quota, wherever in the chain of causes. */
function isOutOfSpace(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) return true
  return isOutOfSpace(error.cause)
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
}

function fromFastify(error: FastifyError): Problem {
  const [violation] = error.validation ?? []
  if (violation !== undefined) return fromViolation(violation, error.validationContext)
  const known = fastifyProblems[error.code]
  if (known !== undefined) return new Problem(...known)
  const byStatus = statusProblems[error.statusCode ?? 500]
  if (byStatus !== undefined) return new Problem(...byStatus)
  return new Problem('internal', 'Something went wrong here. It was logged.', { cause: error })
}

const fastifyProblems: Readonly<Record<string, [ProblemCode, string]>> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed-body', 'The body is empty, and should be JSON.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['malformed-body', 'The body is not JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed-body', 'The body is not as long as Content-Length says.'],
  FST_ERR_HANDLER_TIMEOUT: ['unavailable', 'This took too long. Try again in a moment.'],
  FST_ERR_BAD_URL: ['malformed-request', 'The URL is not properly percent-encoded.'],
}

const statusProblems: Readonly<Record<number, [ProblemCode, string]>> = {
  400: ['malformed-request', 'The request is malformed.'],
  401: ['unauthorized', 'This address needs the admin user and password.'],
  404: ['not-found', 'There is nothing at this address.'],
  408: ['stalled-body', 'The request took too long to arrive.'],
  413: ['too-large', 'The body is too large.'],
  415: ['unsupported-media-type', 'This address takes no body of this Content-Type.'],
}

/** One of Ajv's findings, as a sentence that names the field. */
function fromViolation(violation: FastifySchemaValidationError, where = 'body'): Problem {
  const { missingProperty, additionalProperty } = violation.params
  const path = violation.instancePath.split('/').slice(1).join('.')
  if (typeof missingProperty === 'string') {
    return fieldProblem('missing-field', missingProperty, `"${missingProperty}" is missing.`)
  }
  if (typeof additionalProperty === 'string') {
    return fieldProblem(
      'unknown-field',
      additionalProperty,
      `"${additionalProperty}" is not a field of this request.`,
    )
  }
  if (path === '') return new Problem('malformed-body', `The ${where} ${violation.message ?? 'is wrong'}.`)
  return fieldProblem('bad-field', path, `"${path}" ${violation.message ?? 'is wrong'}.`)
}
