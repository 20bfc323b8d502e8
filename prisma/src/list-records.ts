/** Lists a user's records page by page, the latest first; what was deleted or has expired is not among them. */
import type { Database } from './database.ts'
import type { RecordStatus } from './generated/client.ts'
import { type RecordState, toRecordState } from './records.ts'

/** A record that is no tombstone. */
export type LiveStatus = Exclude<RecordStatus, 'deleted' | 'expired'>

/**
 * The pages of a traversal neither overlap nor leave out what was there when it began: keys only grow, and a page begins
 * where the one before ended.
 *
 * @param page.before only records with lower keys; without it, from the latest on.
 * @param page.status without it, all.
 */
export async function listRecords(
  db: Database,
  userId: string,
  page: { limit: number; before?: bigint | undefined; status?: LiveStatus | undefined },
): Promise<RecordState[]> {
  const now = new Date()
  const records = await db.prisma.record.findMany({
    where: {
      userId,
      status: page.status ?? { notIn: ['deleted', 'expired'] },
      OR: [{ expiresAt: null }, { expiresAt: { gt: now } }],
      ...(page.before !== undefined && { key: { lt: page.before } }),
    },
    orderBy: { key: 'desc' },
    take: page.limit,
  })
  return records.map((record) => toRecordState(record, now))
}
