/** A recording of several segments, and the work of a whole fleet on it. */
import type { EncodeOptions } from '@wavemill/core/encode-options'
import { expect } from 'vitest'
import { buildWav, type WavSpec } from '../../../test/support/wav.ts'
import { transcodeSegment } from '../../src/transcode-segment.ts'
import type { Surroundings } from '../recordings.ts'

export type Recording = WavSpec & { readonly samples: number }

/** Stores a recording that is planned as so many segments. */
export async function storeInSegments(
  surroundings: Surroundings,
  recording: Recording,
  segments: number,
  encode: EncodeOptions = {},
): Promise<bigint> {
  const segmentSeconds = recording.samples / (recording.sampleRate ?? 44_100) / segments
  const key = await surroundings.storeRecording([buildWav(recording)], { segmentSeconds, encode })
  expect((await surroundings.stateOf(key)).segmentsTotal).toBe(segments)
  return key
}

/**
 * Transcodes all segments, two at a time and the last one first.
 *
 * @returns the audio frames of the MP3: what lies behind its head.
 */
export async function transcodeAll(surroundings: Surroundings, key: bigint): Promise<Buffer> {
  const { segmentsTotal } = await surroundings.stateOf(key)
  const waiting = Array.from({ length: segmentsTotal }, (_, seq) => seq)
  const never = new AbortController().signal
  async function work(workerName: string): Promise<void> {
    for (let seq = waiting.pop(); seq !== undefined; seq = waiting.pop()) {
      await transcodeSegment({ ...surroundings.tools, workerName }, { recordKey: key.toString(), seq }, never)
    }
  }
  await Promise.all([work('test:1'), work('test:2')])
  expect(await surroundings.stateOf(key)).toMatchObject({ status: 'ready', failureCode: undefined })
  return await audioOf(surroundings, key)
}

async function audioOf({ db }: Surroundings, key: bigint): Promise<Buffer> {
  const chunks = await db.prisma.chunk.findMany({
    where: { recordKey: key, segment: { gte: 0 } },
    orderBy: [{ segment: 'asc' }, { part: 'asc' }],
  })
  return Buffer.concat(chunks.map(({ data }) => data))
}
