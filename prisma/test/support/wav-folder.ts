/** A WAV store in a temporary folder, for a test file. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWavStore, type WavStore } from '@wavemill/core/wav-store'
import { afterAll, beforeAll } from 'vitest'

/** Call it at the top of a test file; the function it gives is valid within tests and hooks. */
export function useWavStore(): () => WavStore {
  let wavStore: WavStore | undefined
  beforeAll(async () => {
    wavStore = await createWavStore(await mkdtemp(join(tmpdir(), 'wavemill-wav-')))
  })
  afterAll(async () => {
    if (wavStore !== undefined) await rm(wavStore.dir, { recursive: true })
  })
  return () => {
    if (wavStore === undefined) throw new Error('The WAV store is there within tests and hooks only')
    return wavStore
  }
}

/** Stores a WAV of so many bytes (their content does not matter here) under a record's key. */
export async function storeWav(wavStore: WavStore, key: bigint, bytes: number): Promise<void> {
  const draft = await wavStore.createDraft()
  await draft.write(Buffer.alloc(bytes))
  await draft.commit(key)
}
