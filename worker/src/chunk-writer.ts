/** Gathers frames into chunks of at most 1 MiB and writes each behind the fence. */
import { insertChunk } from '@wavemill/prisma/chunks'
import type { Database } from '@wavemill/prisma/database'
import type { Attempt } from '@wavemill/prisma/segments'
import { StaleAttempt } from './stale-attempt.ts'

const MAX_CHUNK_BYTES = 1_048_576

export interface ChunkWriter {
  /** Resolves at once while there is room, and otherwise when it is made: awaiting it is back-pressure. @throws StaleAttempt */
  add(frame: Uint8Array): Promise<void>
  /** Writes what is left. @returns the bytes of all chunks, which are all written by then. @throws StaleAttempt */
  end(): Promise<number>
}

/** @param attempt in whose name is written. */
export function createChunkWriter(db: Database, { recordKey, seq, attempt }: Attempt): ChunkWriter {
  // One is filled while the other is written, so that ffmpeg never waits for a database that keeps up.
  let filling = Buffer.allocUnsafe(MAX_CHUNK_BYTES)
  let spare = Buffer.allocUnsafe(MAX_CHUNK_BYTES)
  let filled = 0
  let part = 0
  let bytes = 0
  let writing: Promise<void> = Promise.resolve()

  async function write(chunk: { part: number; data: Buffer }): Promise<void> {
    if (!(await insertChunk(db, { recordKey, seq, attempt, ...chunk }))) throw new StaleAttempt()
  }

  async function flush(): Promise<void> {
    await writing
    writing = write({ part, data: filling.subarray(0, filled) })
    writing.catch(() => undefined) // thrown by the next flush, or the end
    part += 1
    bytes += filled
    filled = 0
    ;[filling, spare] = [spare, filling]
  }

  return {
    async add(frame) {
      if (filled + frame.byteLength > MAX_CHUNK_BYTES) await flush()
      filling.set(frame, filled)
      filled += frame.byteLength
    },
    async end() {
      if (filled > 0) await flush()
      await writing
      return bytes
    },
  }
}
