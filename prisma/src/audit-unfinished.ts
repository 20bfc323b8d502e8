/** Finds records in `queued` or `processing` that nothing will ever finish. */
import { recordPages } from './audit-pages.ts'
import type { Fault, FaultKind, Scope } from './books.ts'
import type { Database } from './database.ts'
import { MAX_DEATHS } from './take-segment.ts'

/** The longest backoff is a minute. */
const LONGEST_WAIT = '1 hour'

export async function* auditUnfinished(
  db: Database,
  scope: Scope,
  segmentAttempts: number | undefined,
): AsyncGenerator<Fault> {
  for await (const keys of recordPages(db, ['queued', 'processing'], scope)) {
    yield* auditSegments(db, keys, segmentAttempts)
    yield* auditDoneSegments(db, keys)
  }
}

interface Counted {
  key: string
  segments_total: number
  segments_done: number
  existing: number
  done: number
  used_up: number
  never_due: number
}

async function* auditSegments(
  db: Database,
  keys: readonly bigint[],
  segmentAttempts: number | undefined,
): AsyncGenerator<Fault> {
  const { rows } = await db.pool.query<Counted>(
    `SELECT key, segments_total, segments_done, counted.* FROM record CROSS JOIN LATERAL (
       SELECT count(*)::int AS existing, count(done_at)::int AS done,
         count(*) FILTER (WHERE done_at IS NULL
           AND (taken_at IS NULL AND errors >= $2 OR deaths >= ${MAX_DEATHS}))::int AS used_up,
         count(*) FILTER (WHERE done_at IS NULL AND next_try_at > now() + '${LONGEST_WAIT}')::int AS never_due
       FROM segment WHERE record_key = key) AS counted
     WHERE key = ANY($1) AND status IN ('queued', 'processing') ORDER BY key`,
    [keys, segmentAttempts],
  )
  for (const row of rows) {
    for (const [kind, detail] of judge(row)) yield { kind, recordKey: BigInt(row.key), detail }
  }
}

function* judge(row: Counted): Generator<[FaultKind, string]> {
  const { segments_total: total, segments_done: counted, existing, done } = row
  if (existing !== total) yield ['segments-missing', `It has ${existing} segments and counts ${total}.`]
  if (counted !== done) yield ['wrong-count', `${done} of its segments are done, and it counts ${counted}.`]
  if (row.used_up > 0) {
    yield [
      'used-up-not-failed',
      `${row.used_up} of its segments will not be tried again, and it has not failed.`,
    ]
  }
  if (row.never_due > 0) {
    yield ['never-due', `${row.never_due} of its segments are put off for more than ${LONGEST_WAIT}.`]
  }
  if (existing === total && done === total && counted === total) {
    yield ['full-not-finished', 'All its segments are done, and nobody finishes it.']
  }
}

async function* auditDoneSegments(db: Database, keys: readonly bigint[]): AsyncGenerator<Fault> {
  const { rows } = await db.pool.query<{ record_key: string; seq: number; bytes: string; stored: string }>(
    `SELECT segment.record_key, seq, bytes, coalesce(sum(size), 0) AS stored
     FROM segment JOIN record ON key = segment.record_key
       LEFT JOIN chunk ON chunk.record_key = segment.record_key AND chunk.segment = seq
     WHERE segment.record_key = ANY($1) AND status IN ('queued', 'processing') AND done_at IS NOT NULL
     GROUP BY segment.record_key, seq HAVING bytes <> coalesce(sum(size), 0) ORDER BY segment.record_key, seq`,
    [keys],
  )
  for (const { record_key, seq, bytes, stored } of rows) {
    yield {
      kind: 'segment-incomplete',
      recordKey: BigInt(record_key),
      detail: `Segment ${seq} is done with ${bytes} bytes, and its chunks hold ${stored}.`,
    }
  }
}
