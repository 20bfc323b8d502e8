/** POST /record: takes a recording and answers with its link, long before the MP3 is there. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { acceptUpload } from '../accept-upload.ts'
import { createAdmission } from '../admission.ts'
import { bearerTokenOf } from '../authenticate.ts'
import { baseUrlOf, recordUrl, statusUrl } from '../base-url.ts'
import { createBodyTurns } from '../body-turns.ts'
import { idempotencyKeyOf } from '../idempotency-key.ts'
import type { AppParts, Limits } from '../parts.ts'
import { Problem } from '../problem.ts'
import { addressOf, type Rate } from '../rates.ts'
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

/** @param rate counts uploads of a user. @param limits how many there may be at once. */
export function uploadRecordRoute(parts: AppParts, rate: Rate, limits: Limits): Route<typeof schema> {
  const spoolCap = createSpoolCap(limits)
  const admission = createAdmission(parts)
  const turns = createBodyTurns({ atOnce: parts.settings.uploadsAtOnce, inLine: limits.uploadsInLine })
  return {
    schema,
    // At trace the multipart plugin logs all headers, and with them the token.
    ...(parts.log.level === 'trace' ? { logLevel: 'debug' } : {}),
    async handler(request, reply) {
      const idempotencyKey = idempotencyKeyOf(request)
      await admission.checkService(announcedBytes(request))
      const address = addressOf(request)
      const gone = clientGone(reply)
      let endTurn = () => {}
      const turn = async () => {
        endTurn = await turns.take(address, gone)
      }
      const upload = {
        parts: readUpload(request, turn),
        bearerToken: bearerTokenOf(request),
        idempotencyKey,
        asker: request,
        address,
        admit: (userId: string) => rate(userId, request, reply),
      }
      const record = await acceptUpload(
        { ...parts, keyHoldMs: limits.keyHoldMs, log: request.log, spoolCap },
        upload,
      ).finally(() => endTurn())
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

function readUpload(request: FastifyRequest, turn: () => Promise<void>): AsyncIterable<UploadPart> {
  if (request.isMultipart()) return readUploadForm(request, turn)
  if (request.rawWav !== undefined) return readRawUpload(request, request.rawWav, turn)
  throw new Problem('unsupported-media-type', 'An upload must be multipart/form-data, or audio/wav.')
}

/** 0 where the length is not announced. */
function announcedBytes({ headers }: FastifyRequest): number {
  return Number(headers['content-length'] ?? 0)
}

/** Aborts when the connection is done with the request: so also when its client went away. */
function clientGone({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.once('close', () => controller.abort())
  return controller.signal
}
