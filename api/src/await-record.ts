/** Holds a request for the link until its record waits no more, or for as long as the client is ready to wait. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Follow } from './follow-record.ts'
import type { Moment, ReadMoment } from './moment.ts'
import { patienceFor } from './patience.ts'
import { parseWait } from './prefer.ts'
import type { Link } from './record-state.ts'

/** What only mends a position that nobody sees is seldom worth a reading. */
const REFRESH_MS = 30_000

export interface AwaitParts {
  readonly readMoment: ReadMoment
  readonly follow: Follow
  /** Aborts when the server begins to close. */
  readonly closing: AbortSignal
}

/** @returns the record as it is at the end of the wait; at once, where the client does not ask to wait. */
export async function awaitRecord(
  { readMoment, follow, closing }: AwaitParts,
  link: Link | undefined,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<Moment> {
  const waitSeconds = parseWait([headers.prefer ?? ''].flat().join())
  if (waitSeconds === undefined) return await readMoment(link)
  reply.header('preference-applied', `wait=${waitSeconds}`)
  const signal = patienceFor(reply, closing, waitSeconds * 1_000)
  let latest: Moment = { record: undefined, waiting: undefined }
  for await (const moment of follow(link, { signal, refreshMs: REFRESH_MS })) latest = moment
  return latest
}
