/** GET /records/events: what becomes of several recordings of a user, told as it happens on one connection. */
import Type from 'typebox'
import { sendEvents, writeEventsOfAll } from '../event-stream.ts'
import { followAll } from '../follow-all.ts'
import type { Follow } from '../follow-record.ts'
import type { Limits } from '../parts.ts'
import { patienceFor } from '../patience.ts'
import { fieldProblem } from '../problem.ts'
import type { Link } from '../record-state.ts'
import type { Route } from '../route.ts'
import { parseUuid } from '../uuid.ts'

/** A browser has six connections to a host, so a page of many recordings cannot have one for each. */
const MOST = 50

const schema = {
  querystring: Type.Object({ user: Type.String(), ids: Type.String() }),
  response: { 200: Type.Unknown() },
}

/**
 * As with a link, whoever knows a recording's id and its user's may see it. One that there is not is told as `deleted`.
 *
 * @param parts.closing aborts when the server begins to close.
 */
export function recordsEventsRoute(
  parts: { readonly follow: Follow; readonly closing: AbortSignal },
  { heartbeatMs }: Pick<Limits, 'heartbeatMs'>,
): Route<typeof schema> {
  return {
    schema,
    async handler(request, reply) {
      const links = parseLinks(request.query)
      return sendEvents(request, reply, (lastEventId) => {
        const signal = patienceFor(reply, parts.closing)
        const told = followAll(parts.follow, links, { signal, refreshMs: heartbeatMs })
        return writeEventsOfAll(told, lastEventId)
      })
    },
  }
}

function parseLinks({ user, ids }: { readonly user: string; readonly ids: string }): Link[] {
  const userId = parseUuid(user)
  if (userId === undefined) throw fieldProblem('bad-field', 'user', '"user" must be a UUID.')
  const given = [...new Set(ids.split(',', MOST + 1))].map(parseUuid)
  const known = given.filter((id) => id !== undefined)
  if (known.length === given.length && known.length <= MOST) return known.map((id) => ({ id, userId }))
  throw fieldProblem('bad-field', 'ids', `"ids" must be 1 to ${MOST} UUIDs with commas between them.`)
}
