/** GET /records: the user's own recordings, page by page, the latest first. */
import { storedTitle } from '@wavemill/core/tags'
import type { Database } from '@wavemill/prisma/database'
import { type LiveStatus, listRecords } from '@wavemill/prisma/list-records'
import { findRecord } from '@wavemill/prisma/records'
import Type, { type Static } from 'typebox'
import { authenticateRequest } from '../authenticate-request.ts'
import { baseUrlOf, recordUrl, statusUrl } from '../base-url.ts'
import type { AppParts } from '../parts.ts'
import { fieldProblem } from '../problem.ts'
import { type LinkedRecord, linkedRecordOf } from '../record-state.ts'
import { Status, statusOf } from '../record-status.ts'
import type { Route } from '../route.ts'
import { parseUuid } from '../uuid.ts'

const DEFAULT_LIMIT = 20
const statuses: readonly LiveStatus[] = ['queued', 'processing', 'ready', 'failed']

const ListedRecord = Type.Object({
  ...Status.properties,
  url: Type.String(),
  statusUrl: Type.String(),
  /** As the upload gave it. */
  title: Type.Union([Type.String(), Type.Null()]),
})

const schema = {
  querystring: Type.Object({
    user: Type.String(),
    limit: Type.Optional(Type.String()),
    cursor: Type.Optional(Type.String()),
    status: Type.Optional(Type.String()),
  }),
  response: {
    200: Type.Object({
      records: Type.Array(ListedRecord),
      /** Where the next page begins; null on the last one. */
      nextCursor: Type.Union([Type.String(), Type.Null()]),
    }),
  },
}

export function listRecordsRoute({ db, settings }: AppParts): Route<typeof schema> {
  return {
    schema,
    async handler(request, reply) {
      const { user, limit: givenLimit, cursor, status: givenStatus } = request.query
      const { userId } = await authenticateRequest(db, request, user)
      const limit = givenLimit === undefined ? DEFAULT_LIMIT : parseLimit(givenLimit)
      const status = givenStatus === undefined ? undefined : parseStatus(givenStatus)
      const before = cursor === undefined ? undefined : await keyBehind(db, userId, cursor)
      // One more than asked for tells whether there is a next page.
      const found = await listRecords(db, userId, { limit: limit + 1, before, status })
      const page = found.slice(0, limit).map(linkedRecordOf)
      const baseUrl = baseUrlOf(request, settings.publicUrl)
      return reply.send({
        records: page.map((record) => listed(record, baseUrl)),
        nextCursor: found.length > limit ? (page.at(-1)?.id ?? null) : null,
      })
    },
  }
}

function listed(record: LinkedRecord, baseUrl: string): Static<typeof ListedRecord> {
  return {
    ...statusOf(record),
    url: recordUrl(baseUrl, record),
    statusUrl: statusUrl(baseUrl, record),
    title: storedTitle(record.options) ?? null,
  }
}

function parseLimit(given: string): number {
  if (/^([1-9]\d?|100)$/.test(given)) return Number(given)
  throw fieldProblem('bad-field', 'limit', '"limit" must be a whole number from 1 to 100.')
}

function parseStatus(given: string): LiveStatus {
  const status = statuses.find((known) => known === given)
  if (status !== undefined) return status
  throw fieldProblem('bad-field', 'status', `"status" must be one of ${statuses.join(', ')}.`)
}

/** A cursor is the id of a page's last record, so it tells nothing new; if that one is deleted meanwhile, its tombstone stands. */
async function keyBehind(db: Database, userId: string, cursor: string): Promise<bigint> {
  const id = parseUuid(cursor)
  const record = id === undefined ? undefined : await findRecord(db, { id, userId })
  if (record !== undefined) return record.key
  throw fieldProblem('bad-field', 'cursor', '"cursor" must be the nextCursor of an earlier page.')
}
