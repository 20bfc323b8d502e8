/** A segment's part of the waveform, from its samples in the WAV store. */
import { storedEncodeOptions } from '@wavemill/core/encode-options'
import { planMp3, sourceSampleAt } from '@wavemill/core/mp3-target'
import { isPacked } from '@wavemill/core/pcm-source'
import { createPeaksReader, pixelsWithin, planPeaks } from '@wavemill/core/peaks'
import type { WavStore } from '@wavemill/core/wav-store'
import type { TakenSegment } from '@wavemill/prisma/take-segment'

/**
 * @returns undefined where only ffmpeg could unpack the samples: such a recording has no waveform.
 * @throws an error of the WAV store.
 */
export async function readSegmentPeaks(
  wavStore: WavStore,
  segment: TakenSegment,
): Promise<Uint8Array | undefined> {
  const { source, samples, recordKey } = segment
  if (isPacked(source)) return undefined
  const plan = planPeaks(samples)
  const pixels = pixelsWithin(plan, ...ownSamples(segment))
  const reader = createPeaksReader(source, plan.samplesPerPixel)
  const byteAt = (pixel: number) =>
    source.dataStart + Math.min(pixel * plan.samplesPerPixel, samples) * source.blockAlign
  if (pixels.first < pixels.end) {
    const bytes = wavStore.openRange(recordKey, byteAt(pixels.first), byteAt(pixels.end))
    for await (const some of bytes) reader.push(some)
  }
  return reader.end()
}

/** The samples of the recording that the segment's own frames begin and end with. */
function ownSamples({ source, samples, options, firstFrame, frames }: TakenSegment): [number, number] {
  const { target, totalFrames } = planMp3(source, samples, storedEncodeOptions(options))
  const sampleAt = (frame: number) => sourceSampleAt(frame, source, target)
  const endFrame = firstFrame + frames
  return [sampleAt(firstFrame), endFrame === totalFrames ? samples : sampleAt(endFrame)]
}
