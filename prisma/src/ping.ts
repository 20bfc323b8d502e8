/** Asks whether the database answers. */
import type { Database } from './database.ts'

/** Rejects if it does not; within which time is the caller's to say. */
export async function pingDatabase(db: Database): Promise<void> {
  await db.pool.query('SELECT 1')
}
