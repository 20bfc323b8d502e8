/** What ffmpeg encodes of a segment: its bytes of the WAV, which it reads by itself where they need no work of ours. */
import { Readable } from 'node:stream'
import { TranscodeError } from '@wavemill/core/failures'
import { headForPacked } from '@wavemill/core/packed-formats'
import { isPacked } from '@wavemill/core/pcm-source'
import type { WavStore } from '@wavemill/core/wav-store'
import type { TakenSegment } from '@wavemill/prisma/take-segment'
import { createSampleCleaner, type SampleCleaner } from './clean-samples.ts'
import type { Encoding } from './ffmpeg.ts'

/** Raw samples, made fit for the encoder; or packed ones, behind a header of our own. */
export function openInput(
  wavStore: WavStore,
  { source, samples, recordKey, startByte, endByte }: TakenSegment,
): Pick<Encoding, 'input' | 'encoding' | 'inputSamples'> {
  // Opened no sooner than it is read: what nobody reads, nobody closes.
  const openBytes = () => wavStore.openRange(recordKey, startByte, endByte)
  if (isPacked(source)) {
    const head = headForPacked(source)
    return { input: streamOf(withHead(head, openBytes)), encoding: 'wav', inputSamples: samples }
  }
  const cleaner = createSampleCleaner(source.encoding)
  if (cleaner !== undefined) {
    return { input: streamOf(cleaned(cleaner, openBytes)), encoding: cleaner.encoding }
  }
  return { input: { path: wavStore.pathOf(recordKey), startByte, endByte }, encoding: source.encoding }
}

async function* withHead(head: Uint8Array, openBytes: () => Readable): AsyncGenerator<Uint8Array> {
  yield head
  yield* openBytes()
}

async function* cleaned(cleaner: SampleCleaner, openBytes: () => Readable): AsyncGenerator<Uint8Array> {
  for await (const bytes of openBytes()) yield cleaner.push(bytes)
}

function streamOf(bytes: AsyncIterable<Uint8Array>): Readable {
  return Readable.from(bytes, { objectMode: false })
}

/** @throws TranscodeError `source-lost` if the segment's bytes are not all in the store. */
export async function requireAudio(wavStore: WavStore, { recordKey, endByte }: TakenSegment): Promise<void> {
  const bytes = await wavStore.size(recordKey)
  if (bytes !== undefined && bytes >= endByte) return
  const detail =
    bytes === undefined ? 'the stored WAV is gone' : `the stored WAV ends ${endByte - bytes} bytes too early`
  throw new TranscodeError('source-lost', detail, { permanent: true })
}
