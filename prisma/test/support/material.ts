/** Users and records for the tests of this package, with bytes that say where they come from. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Database } from '../../src/database.ts'
import { insertRecord, type NewRecord, reserveRecordKey } from '../../src/insert-record.ts'
import { createUser } from '../../src/users.ts'

export const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest()

export async function insertUser(db: Database): Promise<string> {
  const id = randomUUID()
  await createUser(db, { id, name: `user ${id}`, tokenHash: sha256(id) })
  return id
}

/** A record as an upload would make it, of as many segments as asked for; nothing of it is stored. */
export async function planTestRecord(
  db: Database,
  userId: string,
  segments = 1,
  overrides: Partial<NewRecord> = {},
): Promise<NewRecord> {
  return {
    key: await reserveRecordKey(db),
    id: randomUUID(),
    userId,
    fileName: 'Ünïcode запись.wav',
    options: { quality: 2 },
    warnings: ['The last chunk has no pad byte.'],
    codec: 'PCM 16-bit',
    source: {
      encoding: 's16le',
      sampleRate: 44_100,
      channels: 2,
      bitsPerSample: 16,
      bytesPerSample: 2,
      blockAlign: 4,
      channelMask: undefined,
      dataStart: 44,
    },
    samples: 1_000 * segments,
    wavBytes: 44 + 4_000 * segments,
    wavSha256: randomBytes(32),
    segments: Array.from({ length: segments }, (_, seq) => ({
      seq,
      startByte: 44 + 4_000 * seq,
      endByte: 44 + 4_000 * (seq + 1),
      firstFrame: 10 * seq,
      frames: 10,
      warmUpFrames: Math.min(2, 10 * seq),
    })),
    ...overrides,
  }
}

/** @returns the key of a new record. */
export async function insertTestRecord(
  db: Database,
  userId: string,
  segments = 1,
  overrides: Partial<NewRecord> = {},
): Promise<bigint> {
  const record = await planTestRecord(db, userId, segments, overrides)
  await insertRecord(db, record)
  return record.key
}
