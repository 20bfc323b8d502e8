/** POST /record: takes a recording and answers with its link, long before the MP3 is there. */
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { acceptUpload } from '../accept-upload.ts'
import { bearerTokenOf } from '../authenticate.ts'
import { baseUrlOf, recordUrl, statusUrl } from '../base-url.ts'
import { idempotencyKeyOf } from '../idempotency-key.ts'
import type { AppParts, Limits } from '../parts.ts'
import { Problem } from '../problem.ts'
import { readRawUpload } from '../raw-upload.ts'
import type { Route } from '../route.ts'
import { createSpoolCap } from '../spool-cap.ts'
import { readUploadForm, type UploadPart } from '../upload-form.ts'

/** Seconds after which asking for the MP3 makes sense at the earliest. */
const RETRY_AFTER = 1

const schema = {
  response: {
    202: Type.Object({
      id: Type.String(),
      status: Type.Literal('queued'),
      url: Type.String(),
      statusUrl: Type.String(),
    }),
  },
}

export function uploadRecordRoute(parts: AppParts, limits: Limits): Route<typeof schema> {
  const spoolCap = createSpoolCap(limits)
  return {
    schema,
    // At trace the multipart plugin logs all headers, and with them the token.
    ...(parts.log.level === 'trace' ? { logLevel: 'debug' } : {}),
    async handler(request, reply) {
      const record = await acceptUpload(
        { ...parts, keyHoldMs: limits.keyHoldMs, log: request.log, spoolCap },
        {
          parts: readUpload(request),
          bearerToken: bearerTokenOf(request),
          idempotencyKey: idempotencyKeyOf(request),
          address: request.ip,
        },
      )
      const baseUrl = baseUrlOf(request, parts.settings.publicUrl)
      const url = recordUrl(baseUrl, record)
      if (record.isRepeated) reply.header('idempotency-replayed', 'true')
      return reply
        .code(202)
        .header('location', url)
        .header('retry-after', RETRY_AFTER)
        .send({ id: record.id, status: record.status, url, statusUrl: statusUrl(baseUrl, record) })
    },
  }
}

function readUpload(request: FastifyRequest): AsyncIterable<UploadPart> {
  if (request.isMultipart()) return readUploadForm(request)
  if (request.rawWav !== undefined) return readRawUpload(request, request.rawWav)
  throw new Problem('unsupported-media-type', 'An upload must be multipart/form-data, or audio/wav.')
}
