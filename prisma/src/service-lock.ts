/** Says that an installation is in use: a lock on a connection of its own, gone with the process that held it. */
import pg from 'pg'
import { connectionConfig } from './database.ts'

/** Any number that nobody else locks with. */
const SERVICE_LOCK = 7_351_900_003

export interface ServiceLock {
  release(): Promise<void>
}

/**
 * @returns undefined if another process holds it.
 * @throws if the database is away.
 */
export async function takeServiceLock(url: string): Promise<ServiceLock | undefined> {
  const client = new pg.Client({ ...connectionConfig(url), application_name: 'wavemill start' })
  client.on('error', () => {}) // the server is gone, and the lock with it
  await client.connect()
  const { rows } = await client.query<{ is_ours: boolean }>('SELECT pg_try_advisory_lock($1) AS is_ours', [
    SERVICE_LOCK,
  ])
  if (rows[0]?.is_ours === true) return { release: () => client.end() }
  await client.end()
  return undefined
}
