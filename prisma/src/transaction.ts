/** Runs several statements of raw SQL as one transaction, on one connection that is given back whatever happens. */
import type pg from 'pg'

/**
 * Commits what `work` did, or rolls it back if it throws. READ COMMITTED is part of the fence: after waiting for a
 * lock, the next statement sees what the one who held it wrote.
 *
 * Everybody locks in the same order, or two of them wait for each other: segments by `seq`, then their record, then chunks.
 *
 * @throws what `work` throws. If COMMIT itself throws, the outcome is unknown.
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
    const result = await work(client)
    await client.query('COMMIT')
    client.release()
    return result
  } catch (error) {
    const isRolledBack = await client.query('ROLLBACK').then(
      () => true,
      () => false,
    )
    client.release(!isRolledBack) // a connection in an unknown state is closed
    throw error
  }
}
