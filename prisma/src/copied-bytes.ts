/** Reads a column of bytea by COPY ... TO STDOUT (FORMAT binary): ten times cheaper than as rows, which come as hex text. */
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const HEADER_BYTES = SIGNATURE.byteLength + 8
const NULL_OR_END = -1
/** Of a server that fell silent. pg's own query_timeout does not see that a COPY has ended, and leaves its timer behind. */
const READ_TIMEOUT_MS = 65_000

/**
 * Reads everything into memory, so that the connection is free again when this resolves.
 *
 * @param query gives one column of bytea, no NULLs, a few MiB in all.
 */
export async function readCopiedBytes(pool: pg.Pool, query: string): Promise<Buffer[]> {
  const client = await pool.connect()
  let isClean = false
  let timer: NodeJS.Timeout | undefined
  try {
    const stream = client.query(copyTo(`COPY (${query}) TO STDOUT (FORMAT binary)`))
    timer = setTimeout(() => stream.destroy(new Error('Query read timeout')), READ_TIMEOUT_MS)
    const received: Buffer[] = []
    for await (const bytes of stream) received.push(bytes)
    isClean = true
    return parseCopy(Buffer.concat(received))
  } finally {
    clearTimeout(timer)
    client.release(!isClean) // half of a COPY may still be on its way
  }
}

/** The format: https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.55.9.4 (Binary Format). */
function parseCopy(bytes: Buffer): Buffer[] {
  if (!bytes.subarray(0, SIGNATURE.byteLength).equals(SIGNATURE)) throw new Error('This is no binary COPY')
  const values: Buffer[] = []
  let position = HEADER_BYTES + bytes.readInt32BE(HEADER_BYTES - 4)
  while (bytes.readInt16BE(position) !== NULL_OR_END) {
    const start = position + 6
    const end = start + bytes.readInt32BE(position + 2)
    values.push(bytes.subarray(start, end))
    position = end
  }
  return values
}
