/** GET /record/status: everything that is known of a recording, whatever became of it. */
import type { Database } from '@wavemill/prisma/database'
import { findLinkedRecord, LinkQuery } from '../record-state.ts'
import { Status, statusOf } from '../record-status.ts'
import type { Route } from '../route.ts'

const schema = { querystring: LinkQuery, response: { 200: Status } }

export function recordStatusRoute({ db }: { readonly db: Database }): Route<typeof schema> {
  return {
    schema,
    async handler(request, reply) {
      return reply.send(statusOf(await findLinkedRecord(db, request.query)))
    },
  }
}
