/** GET /record/events: what becomes of a recording, told as it happens. */
import Type from 'typebox'
import { sendEvents, writeEvents } from '../event-stream.ts'
import type { Follow } from '../follow-record.ts'
import type { Moment } from '../moment.ts'
import type { Limits } from '../parts.ts'
import { patienceFor } from '../patience.ts'
import { LinkQuery, linkedRecordOf, parseLink } from '../record-state.ts'
import type { Route } from '../route.ts'

const schema = { querystring: LinkQuery, response: { 200: Type.Unknown() } }

/** @param parts.closing aborts when the server begins to close. */
export function recordEventsRoute(
  parts: { readonly follow: Follow; readonly closing: AbortSignal },
  { heartbeatMs }: Pick<Limits, 'heartbeatMs'>,
): Route<typeof schema> {
  return {
    schema,
    async handler(request, reply) {
      const signal = patienceFor(reply, parts.closing)
      const moments = parts.follow(parseLink(request.query), { signal, refreshMs: heartbeatMs })
      const first = await moments.next()
      linkedRecordOf(first.value?.record) // what is not there, or gone, has no stream
      if (first.done === true) throw new Error('There is always a first moment')
      return sendEvents(request, reply, (lastEventId) =>
        writeEvents(startingWith(first.value, moments), lastEventId),
      )
    },
  }
}

async function* startingWith(first: Moment, others: AsyncIterable<Moment>): AsyncGenerator<Moment> {
  yield first
  yield* others
}
