/** GET /record/events: what becomes of a recording, told as it happens. */
import { Readable } from 'node:stream'
import Type from 'typebox'
import { eventStreamHeaders, writeEvents } from '../event-stream.ts'
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
      reply.headers(eventStreamHeaders)
      if (request.method === 'HEAD' || first.done === true) return reply.send()
      const lastEventId = [request.headers['last-event-id']].flat()[0]
      const events = writeEvents(startingWith(first.value, moments), lastEventId)
      // A slow reader is told only the latest state: the stream asks for the next one when it has room for it.
      return reply.send(Readable.from(events, { objectMode: false }))
    },
  }
}

async function* startingWith(first: Moment, others: AsyncIterable<Moment>): AsyncGenerator<Moment> {
  yield first
  yield* others
}
