/** Gathers frames into chunks of at most 1 MiB and writes each behind the fence. */
import { insertChunk } from '@wavemill/prisma/chunks'
import type { Database } from '@wavemill/prisma/database'
import type { Attempt } from '@wavemill/prisma/segments'
import { StaleAttempt } from './stale-attempt.ts'

const MAX_CHUNK_BYTES = 1_048_576

export interface ChunkWriter {
  /** Resolves at once, or after a full chunk was written: awaiting it is back-pressure. @throws StaleAttempt */
  add(frame: Uint8Array): Promise<void>
  /** Writes what is left. @returns the bytes of all chunks. @throws StaleAttempt */
  end(): Promise<number>
}

/** @param attempt in whose name is written. */
export function createChunkWriter(db: Database, { recordKey, seq, attempt }: Attempt): ChunkWriter {
  const chunk = Buffer.allocUnsafe(MAX_CHUNK_BYTES)
  let filled = 0
  let part = 0
  let written = 0

  async function flush(): Promise<void> {
    const data = chunk.subarray(0, filled)
    if (!(await insertChunk(db, { recordKey, seq, attempt, part, data }))) throw new StaleAttempt()
    part += 1
    written += filled
    filled = 0
  }

  return {
    async add(frame) {
      if (filled + frame.byteLength > MAX_CHUNK_BYTES) await flush()
      chunk.set(frame, filled)
      filled += frame.byteLength
    },
    async end() {
      if (filled > 0) await flush()
      return written
    },
  }
}
