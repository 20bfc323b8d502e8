/** Writes records' moments as an event stream (the HTML standard, section 9.2, "Server-sent events"). */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Told } from './follow-all.ts'
import type { Moment } from './moment.ts'
import { linkedRecordOf } from './record-state.ts'
import { statusOf } from './record-status.ts'

/**
 * Answers with the stream; a HEAD with its headers alone.
 *
 * @param write gives the events, and is told with which id the client's last one came.
 */
export function sendEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  write: (lastEventId: string | undefined) => AsyncIterable<string>,
): FastifyReply {
  reply.type('text/event-stream; charset=utf-8').header('x-accel-buffering', 'no') // nginx would hold events back
  if (request.method === 'HEAD') return reply.send()
  const lastEventId = [request.headers['last-event-id']].flat()[0]
  // A slow reader is told only the latest state: the stream asks for the next one when it has room for it.
  return reply.send(Readable.from(write(lastEventId), { objectMode: false }))
}

/** After these nothing more happens. */
type End = 'ready' | 'failed' | 'deleted' | 'expired'

/**
 * An event `status` for each moment that says something new, and a comment for each that does not, which also keeps the
 * connection alive. The last one is followed by an event named after the end.
 *
 * @param lastEventId what the client had got before, if anything: ids go on rising from there. All else starts anew,
 * because the first event is the whole state.
 */
export async function* writeEvents(
  moments: AsyncIterable<Moment>,
  lastEventId: string | undefined,
): AsyncGenerator<string, void, undefined> {
  const write = createWriter(lastEventId)
  for await (const moment of moments) yield write(moment)
}

/** As {@link writeEvents}, for several records in one stream: the data of each event says with `id` whose it is. */
export async function* writeEventsOfAll(
  told: AsyncIterable<Told>,
  lastEventId: string | undefined,
): AsyncGenerator<string, void, undefined> {
  const write = createWriter(lastEventId)
  for await (const { id, moment } of told) yield write(moment, id)
}

function createWriter(lastEventId: string | undefined): (moment: Moment, recordId?: string) => string {
  let eventId = /^\d{1,15}$/.test(lastEventId ?? '') ? Number(lastEventId) : 0
  const known = new Map<string | undefined, string>()
  const event = (name: string, data: string) => `id: ${++eventId}\nevent: ${name}\ndata: ${data}\n\n`
  return (moment, recordId) => {
    const data = JSON.stringify({ ...(recordId !== undefined && { id: recordId }), ...dataOf(moment) })
    if (data === known.get(recordId)) return ': still there\n\n'
    known.set(recordId, data)
    const end = endOf(moment)
    return event('status', data) + (end === undefined ? '' : event(end, data))
  }
}

/** The body of the 202 while it waits; later that of /record/status, or only the status of what is gone. */
function dataOf({ record, waiting }: Moment): object {
  if (waiting !== undefined) return waiting
  if (record?.status === 'ready' || record?.status === 'failed') return statusOf(linkedRecordOf(record))
  return { status: record?.status ?? 'deleted' }
}

function endOf({ record, waiting }: Moment): End | undefined {
  if (waiting !== undefined) return undefined
  const status = record?.status ?? 'deleted' // not even a tombstone: its user was deleted with all that was theirs
  return status === 'queued' || status === 'processing' ? undefined : status
}
