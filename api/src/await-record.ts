/** Holds a request for the link until its record waits no more, or for as long as the client is ready to wait. */
import type { Database } from '@wavemill/prisma/database'
import { findRecord } from '@wavemill/prisma/records'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Follow, Moment } from './follow-record.ts'
import type { LookAhead } from './outlook.ts'
import { patienceFor } from './patience.ts'
import { parseWait } from './prefer.ts'
import { type Link, waitingStateOf } from './record-state.ts'

/** What only mends a position that nobody sees is seldom worth a reading. */
const REFRESH_MS = 30_000

export interface AwaitParts {
  readonly db: Database
  readonly lookAhead: LookAhead
  readonly follow: Follow
  /** Aborts when the server begins to close. */
  readonly closing: AbortSignal
}

/** @returns the record as it is at the end of the wait; at once, where the client does not ask to wait. */
export async function awaitRecord(
  parts: AwaitParts,
  link: Link | undefined,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<Moment> {
  const waitSeconds = parseWait([headers.prefer ?? ''].flat().join())
  if (waitSeconds === undefined) {
    const record = link && (await findRecord(parts.db, link))
    return { record, waiting: record && (await waitingStateOf(parts.lookAhead, record)) }
  }
  reply.header('preference-applied', `wait=${waitSeconds}`)
  const signal = patienceFor(reply, parts.closing, waitSeconds * 1_000)
  let latest: Moment = { record: undefined, waiting: undefined }
  for await (const moment of parts.follow(link, { signal, refreshMs: REFRESH_MS })) latest = moment
  return latest
}
