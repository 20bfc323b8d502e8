/** Writes rows into a table by COPY ... FROM STDIN, with back-pressure; what PostgreSQL refuses is the backup's fault. */
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { damaged } from './backup-error.ts'

export interface TableLoad {
  /** Resolves when the bytes are on their way. */
  write(bytes: Uint8Array): Promise<void>
  /** @returns how many rows there were. */
  end(): Promise<number>
}

/**
 * A load that is not ended is given up with its connection.
 *
 * @param target a table and its columns, as SQL.
 */
export function openTableLoad(client: pg.Client, target: string): TableLoad {
  const copy = client.query(copyFrom(`COPY ${target} FROM STDIN (FORMAT binary)`))
  // After an error the stream calls back to nobody.
  const failed = new Promise<never>((_, reject) => copy.once('error', (error) => reject(blame(error))))
  failed.catch(() => undefined)
  const step = (begin: (done: (error?: Error | null) => void) => void) =>
    Promise.race([
      failed,
      new Promise<void>((resolve, reject) => begin((error) => (error ? reject(error) : resolve()))),
    ])
  return {
    write: (bytes) => step((done) => copy.write(bytes, done)),
    async end() {
      await step((done) => copy.end(done))
      return copy.rowCount
    },
  }
}

/** Class 22 is data that cannot be read, class 23 a constraint that does not hold; all else is not the rows' doing. */
function blame(error: Error): Error {
  const code = 'code' in error ? String(error.code) : ''
  return /^2[23]/.test(code) ? damaged(`PostgreSQL refuses its rows (${error.message})`, error) : error
}
