/** What is told of a record whose link somebody has: everything that is known of it, whatever became of it. */
import Type, { type Static, type TSchema } from 'typebox'
import { failureOf, type LinkedRecord } from './record-state.ts'

const OrNull = <T extends TSchema>(type: T) => Type.Union([type, Type.Null()])
const Time = Type.String({ format: 'date-time' })

export const Status = Type.Object({
  id: Type.String(),
  status: Type.Enum(['queued', 'processing', 'ready', 'failed']),
  /** 0..1; never falls. */
  progress: Type.Number(),
  /** What had to be guessed about the WAV. */
  warnings: Type.Array(Type.String()),
  source: Type.Object({
    fileName: Type.String(),
    codec: Type.String(),
    sampleRate: Type.Integer(),
    channels: Type.Integer(),
    bitsPerSample: Type.Integer(),
    /** Of one channel. */
    samples: Type.Integer(),
    seconds: Type.Number(),
    bytes: Type.Integer(),
    sha256: Type.String(),
  }),
  /** Once it is ready. */
  mp3: OrNull(Type.Object({ bytes: Type.Integer(), sha256: Type.String() })),
  /** If transcoding failed for good. */
  failure: OrNull(Type.Object({ code: Type.String(), reason: Type.String() })),
  createdAt: Time,
  startedAt: OrNull(Time),
  readyAt: OrNull(Time),
  expiresAt: OrNull(Time),
})

export function statusOf(record: LinkedRecord): Static<typeof Status> {
  const { mp3Size, mp3Sha256 } = record
  const hasMp3 = mp3Size !== undefined && mp3Sha256 !== undefined
  return {
    id: record.id,
    status: record.status,
    progress: record.progress,
    warnings: [...record.warnings],
    source: {
      fileName: record.fileName,
      codec: record.codec,
      sampleRate: record.sampleRate,
      channels: record.channels,
      bitsPerSample: record.bitsPerSample,
      samples: record.samples,
      seconds: record.samples / record.sampleRate,
      bytes: record.wavBytes,
      sha256: record.wavSha256.toString('hex'),
    },
    mp3: hasMp3 ? { bytes: mp3Size, sha256: mp3Sha256.toString('hex') } : null,
    failure: failureOf(record) ?? null,
    createdAt: record.createdAt.toISOString(),
    startedAt: record.startedAt?.toISOString() ?? null,
    readyAt: record.readyAt?.toISOString() ?? null,
    expiresAt: record.expiresAt?.toISOString() ?? null,
  }
}
