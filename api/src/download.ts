/** Streams a ready record's MP3 out of its chunk rows. */
import { Readable } from 'node:stream'
import { storedTitle } from '@wavemill/core/tags'
import { readMp3 } from '@wavemill/prisma/chunks'
import type { Database } from '@wavemill/prisma/database'
import type { RecordState } from '@wavemill/prisma/records'
import contentDisposition from 'content-disposition'
import type { FastifyBaseLogger } from 'fastify'
import { downloadName } from './file-name.ts'

/** A record whose MP3 is there. */
export interface ReadyMp3 {
  readonly key: bigint
  /** Under which it is saved. */
  readonly name: string
  readonly size: number
  readonly sha256: Buffer
}

/** @throws Error if the record says that it is ready, but not what its MP3 is. */
export function readyMp3Of({ key, fileName, options, status, mp3Size, mp3Sha256 }: RecordState): ReadyMp3 {
  if (status !== 'ready' || mp3Size === undefined || mp3Sha256 === undefined) {
    throw new Error(`Record ${key} is ${status} and has no whole MP3`)
  }
  const name = downloadName(fileName, storedTitle(options))
  return { key, name, size: mp3Size, sha256: mp3Sha256 }
}

/**
 * The headers of the whole file. Its bytes never change, so a cache may keep them; `nosniff` because the file is
 * a stranger's.
 */
export function mp3Headers(mp3: ReadyMp3): Record<string, string> {
  const { name } = mp3
  return {
    'content-type': 'audio/mpeg',
    'content-length': String(mp3.size),
    'content-disposition': contentDisposition(name, { fallback: asciiOf(name) }),
    etag: `"${mp3.sha256.toString('hex')}"`,
    'repr-digest': `sha-256=:${mp3.sha256.toString('base64')}:`, // RFC 9530, section 3
    'accept-ranges': 'none',
    'cache-control': 'private, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
  }
}

/** What clients show that do not know `filename*` (RFC 6266, appendix D). */
function asciiOf(name: string): string {
  return name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
}

/**
 * Resolves once the first bytes are there, so that a failure before them can still be an answer. A failure after them
 * destroys the stream, and with it the connection: a short file must never look like a whole one.
 */
export async function openMp3(db: Database, mp3: ReadyMp3, log: FastifyBaseLogger): Promise<Readable> {
  const chunks = readMp3(db, mp3.key)[Symbol.asyncIterator]()
  const first = await chunks.next()
  if (first.done === true) throw new Error(`Record ${mp3.key} is ready and has no chunks`)

  async function* whole(): AsyncGenerator<Buffer> {
    let sent = 0
    try {
      for (let next = first; next.done !== true; next = await chunks.next()) {
        sent += next.value.length
        if (sent > mp3.size) break
        yield next.value
      }
      if (sent !== mp3.size) throw new Error(`The MP3 has ${sent} bytes or more, not ${mp3.size}`)
    } catch (error) {
      log.error({ err: error, recordKey: mp3.key }, 'download broken off')
      throw error
    } finally {
      await chunks.return?.()
    }
  }
  return Readable.from(whole(), { objectMode: false })
}
