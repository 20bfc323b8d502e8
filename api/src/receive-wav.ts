/** Streams one WAV into the store: header, size limit, free disk and digest are decided while it passes by. */
import { createHash, type Hash } from 'node:crypto'
import { measureWav } from '@wavemill/core/measure-wav'
import type { Tags } from '@wavemill/core/tags'
import { createWavHeaderReader, type WavHeader } from '@wavemill/core/wav-header'
import type { WavDraft, WavStore } from '@wavemill/core/wav-store'
import { createWavTagReader } from '@wavemill/core/wav-tags'
import { outOfSpace, Problem } from './problem.ts'

/** A whole WAV that is written but neither durable nor anybody's yet. Its draft must be committed or discarded. */
export interface ReceivedWav {
  readonly draft: WavDraft
  readonly header: WavHeader
  /** Samples of one channel. */
  readonly samples: number
  readonly bytes: number
  readonly sha256: Buffer
  readonly warnings: readonly string[]
  /** What it says of itself. */
  readonly tags: Tags
}

/** Where the bytes go. */
export type WavTarget = Pick<WavStore, 'createDraft' | 'freeBytes'>

/** Takes everything and keeps nothing: for a WAV of which only the digest is needed. */
export const nowhere: WavTarget = {
  async createDraft() {
    let bytes = 0
    return {
      get bytes() {
        return bytes
      },
      async write(data) {
        bytes += data.byteLength
      },
      async commit() {
        throw new Error('There is nothing to commit')
      },
      async discard() {},
    }
  },
  freeBytes: async () => Infinity,
}

export interface WavLimits {
  readonly maxUploadBytes: number
  readonly minFreeDiskBytes: number
}

const FREE_DISK_CHECK_EVERY = 64 * 1_048_576

/**
 * Holds one piece of the stream at a time, and reads no further than the disk has written.
 *
 * @throws Problem `too-large` or `out-of-space`, WavError as soon as the bytes cannot become a recording, or whatever the
 * stream throws; nothing is left in the store then.
 */
export async function receiveWav(
  store: WavTarget,
  bytes: AsyncIterable<Buffer>,
  limits: WavLimits,
): Promise<ReceivedWav> {
  const reader = createWavHeaderReader()
  const tagReader = createWavTagReader()
  const hash = createHash('sha256')
  let header: WavHeader | undefined
  let draft: WavDraft | undefined
  let received = 0
  let checkAt = 0
  try {
    for await (const piece of bytes) {
      received += piece.byteLength
      if (received > limits.maxUploadBytes) throw tooLarge(limits.maxUploadBytes)
      header ??= reader.push(piece)
      tagReader.push(piece)
      if (received > checkAt) {
        await checkFreeDisk(store, limits.minFreeDiskBytes)
        checkAt += FREE_DISK_CHECK_EVERY
      }
      draft ??= await store.createDraft() // only now: of what is refused at first sight nothing is ever stored
      await writeAndHash(draft, hash, piece)
    }
    header ??= reader.end()
    const { samples, warnings } = measureWav(header, received)
    draft ??= await store.createDraft()
    const sha256 = hash.digest()
    return { draft, header, samples, warnings, tags: tagReader.end(), bytes: received, sha256 }
  } catch (error) {
    await draft?.discard()
    throw error
  }
}

/** The digest is reckoned while the disk writes. */
async function writeAndHash(draft: WavDraft, hash: Hash, piece: Buffer): Promise<void> {
  const written = draft.write(piece)
  hash.update(piece)
  await written
}

async function checkFreeDisk(store: WavTarget, minFreeDiskBytes: number): Promise<void> {
  if ((await store.freeBytes()) < minFreeDiskBytes) throw outOfSpace()
}

function tooLarge(maxUploadBytes: number): Problem {
  return new Problem('too-large', `The file is larger than ${maxUploadBytes / 1_048_576} MB.`)
}
