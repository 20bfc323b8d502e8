/** DELETE /record: the recording is gone, whatever its state; its link answers 410 from now on. */
import { findRecord } from '@wavemill/prisma/records'
import Type from 'typebox'
import { audit } from '../audit.ts'
import { authenticateRequest } from '../authenticate-request.ts'
import { Problem } from '../problem.ts'
import { LinkQuery } from '../record-state.ts'
import { type RemovalParts, removeRecording } from '../remove-recording.ts'
import type { Route } from '../route.ts'
import { parseUuid } from '../uuid.ts'

const schema = { querystring: LinkQuery, response: { 204: Type.Null() } }

export function deleteRecordRoute(parts: RemovalParts): Route<typeof schema> {
  return {
    schema,
    async handler(request, reply) {
      const { userId } = await authenticateRequest(parts.db, request, request.query.user)
      const id = parseUuid(request.query.id)
      const record = id === undefined ? undefined : await findRecord(parts.db, { id, userId })
      if (record === undefined)
        throw new Problem('unknown-record', 'There is no such recording of this user.')
      await removeRecording({ ...parts, log: request.log }, record)
      audit(request, 'record-deleted', { userId, recordKey: record.key.toString() })
      return reply.code(204).send(null)
    },
  }
}
