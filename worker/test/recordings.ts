/** A worker's surroundings for a test: a database and a WAV store of its own, and recordings as an upload leaves them. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EncodeOptions } from '@wavemill/core/encode-options'
import { createLog, type Log } from '@wavemill/core/log'
import { measureWav } from '@wavemill/core/measure-wav'
import { planRecording } from '@wavemill/core/segment-plan'
import type { Tags } from '@wavemill/core/tags'
import { createWavHeaderReader, type WavHeader } from '@wavemill/core/wav-header'
import { createWavStore, type WavStore } from '@wavemill/core/wav-store'
import { readMp3 } from '@wavemill/prisma/chunks'
import { type Database, openDatabase } from '@wavemill/prisma/database'
import { insertRecord, reserveRecordKey } from '@wavemill/prisma/insert-record'
import { findRecord, type RecordState } from '@wavemill/prisma/records'
import { createUser } from '@wavemill/prisma/users'
import { createTestDatabase } from '../../test/support/database.ts'
import type { WorkerTools } from '../src/worker-tools.ts'

export interface Surroundings {
  readonly databaseUrl: string
  readonly db: Database
  readonly wavStore: WavStore
  readonly log: Log
  readonly tools: WorkerTools
  /** Stores a WAV with its record and segments, as an accepted upload does; adds no job. */
  storeRecording(wav: Iterable<Uint8Array>, asked?: Asked): Promise<bigint>
  stateOf(key: bigint): Promise<RecordState>
  mp3Of(key: bigint): Promise<Buffer>
  close(): Promise<void>
}

interface Asked {
  /** Default 300. */
  readonly segmentSeconds?: number
  readonly encode?: EncodeOptions
  readonly tags?: Tags
  /** Default: one user for all. */
  readonly userId?: string
}

export async function createSurroundings(): Promise<Surroundings> {
  const database = await createTestDatabase()
  const dir = await mkdtemp(join(tmpdir(), 'wavemill-worker-'))
  const log = createLog('test', 'silent')
  const db = openDatabase({ url: database.url, applicationName: 'worker test', log })
  const wavStore = await createWavStore(dir)
  const ada = randomUUID()
  await createUser(db, { id: ada, name: 'Ada', tokenHash: Buffer.alloc(32) })
  const links = new Map<bigint, { id: string; userId: string }>()

  return {
    databaseUrl: database.url,
    db,
    wavStore,
    log,
    tools: {
      ...{ db, wavStore, log, ffmpegPath: 'ffmpeg' },
      ...{ workerName: 'test:1', segmentAttempts: 3 },
    },
    async storeRecording(wav, { segmentSeconds = 300, encode = {}, tags = {}, userId = ada } = {}) {
      const key = await reserveRecordKey(db)
      const { header, wavBytes, sha256 } = await storeWav(wavStore, key, wav)
      const { source, codec } = header
      const { samples, warnings } = measureWav(header, wavBytes)
      const { segments } = planRecording(source, samples, { segmentSeconds, encode })
      const id = randomUUID()
      links.set(key, { id, userId })
      await insertRecord(db, {
        ...{
          key,
          id,
          userId,
          fileName: 'test.wav',
          options: { encode, tags },
          warnings: [...warnings],
          codec,
        },
        ...{ source, samples, wavBytes, wavSha256: sha256, segments: [...segments] },
      })
      return key
    },
    async stateOf(key) {
      const link = links.get(key)
      const state = link === undefined ? undefined : await findRecord(db, link)
      if (state === undefined) throw new Error(`Record ${key} is gone`)
      return state
    },
    async mp3Of(key) {
      const windows: Buffer[] = []
      for await (const window of readMp3(db, key)) windows.push(window)
      return Buffer.concat(windows)
    },
    async close() {
      await db.close()
      await database.drop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function storeWav(wavStore: WavStore, key: bigint, wav: Iterable<Uint8Array>) {
  const reader = createWavHeaderReader()
  const hash = createHash('sha256')
  const draft = await wavStore.createDraft()
  let header: WavHeader | undefined
  for (const bytes of wav) {
    header ??= reader.push(bytes)
    hash.update(bytes)
    await draft.write(bytes)
  }
  header ??= reader.end()
  await draft.commit(key)
  return { header, wavBytes: draft.bytes, sha256: hash.digest() }
}
