/** GET and HEAD /record: the link. Until the MP3 is there it tells how far it is, and then it gives it. */
import { MissingBytes } from '@wavemill/prisma/chunks'
import type { Database } from '@wavemill/prisma/database'
import Type from 'typebox'
import { type AwaitParts, awaitRecord } from '../await-record.ts'
import { sendMp3 } from '../download.ts'
import { readyMp3Of } from '../mp3-headers.ts'
import {
  findLinkedRecord,
  LinkQuery,
  linkedRecordOf,
  parseLink,
  refuseFailed,
  WaitingState,
} from '../record-state.ts'
import type { Route } from '../route.ts'

const DownloadQuery = Type.Object({
  ...LinkQuery.properties,
  /** 0: a browser plays it. 1, and without it: a browser saves it. */
  download: Type.Optional(Type.Enum(['0', '1'])),
})

const schema = {
  querystring: DownloadQuery,
  response: { 200: Type.Unknown(), 202: WaitingState, 206: Type.Unknown(), 304: Type.Null() },
}

export function downloadRecordRoute(parts: AwaitParts & { readonly db: Database }): Route<typeof schema> {
  return {
    schema,
    async handler(request, reply) {
      const moment = await awaitRecord(parts, parseLink(request.query), request, reply)
      const record = linkedRecordOf(moment.record)
      const { waiting } = moment
      if (waiting !== undefined) {
        return reply.code(202).header('retry-after', waiting.retryAfter).send(waiting)
      }
      refuseFailed(record)
      const type = request.query.download === '0' ? 'inline' : 'attachment'
      try {
        return await sendMp3(parts.db, readyMp3Of(record), { type, request, reply })
      } catch (error) {
        // Where it was removed since we looked, that is the answer.
        if (error instanceof MissingBytes) await findLinkedRecord(parts.db, request.query)
        throw error
      }
    },
  }
}
