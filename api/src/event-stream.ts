/** Writes a record's moments as an event stream (the HTML standard, section 9.2, "Server-sent events"). */
import type { Moment } from './moment.ts'
import { linkedRecordOf } from './record-state.ts'
import { statusOf } from './record-status.ts'

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
  let id = /^\d{1,15}$/.test(lastEventId ?? '') ? Number(lastEventId) : 0
  let known = ''
  const event = (name: string, data: string) => `id: ${++id}\nevent: ${name}\ndata: ${data}\n\n`
  for await (const moment of moments) {
    const data = JSON.stringify(dataOf(moment))
    const end = endOf(moment)
    if (data === known) yield ': still there\n\n'
    else if (end === undefined) yield event('status', data)
    else yield event('status', data) + event(end, data)
    known = data
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
