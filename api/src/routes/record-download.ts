/** GET and HEAD /record: the link. Until the MP3 is there it tells how far it is, and then it gives it. */
import type { Database } from '@wavemill/prisma/database'
import Type from 'typebox'
import { mp3Headers, openMp3, readyMp3Of } from '../download.ts'
import { Problem } from '../problem.ts'
import { failureOf, findLinkedRecord, LinkQuery, WaitingState, waitingStateOf } from '../record-state.ts'
import type { Route } from '../route.ts'

const schema = { querystring: LinkQuery, response: { 200: Type.Unknown(), 202: WaitingState } }

export function downloadRecordRoute({ db }: { readonly db: Database }): Route<typeof schema> {
  return {
    schema,
    async handler(request, reply) {
      const record = await findLinkedRecord(db, request.query)
      const waiting = await waitingStateOf(db, record)
      if (waiting !== undefined) {
        return reply.code(202).header('retry-after', waiting.retryAfter).send(waiting)
      }
      const failure = failureOf(record)
      if (failure !== undefined) {
        throw new Problem('transcoding-failed', failure.reason, { members: { failure } })
      }
      const mp3 = readyMp3Of(record)
      reply.headers(mp3Headers(mp3))
      if (request.method === 'HEAD') return reply.send()
      return reply.send(await openMp3(db, mp3, request.log))
    },
  }
}
