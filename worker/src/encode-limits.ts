/** How long an ffmpeg may take for a segment, and how much it may give: what goes beyond kills it. */
import type { Readable } from 'node:stream'
import { TranscodeError } from '@wavemill/core/failures'
import type { TakenSegment } from '@wavemill/prisma/take-segment'

export interface EncodeLimits {
  /** How long nothing may come while somebody waits for it. */
  readonly stallMs: number
  /** How long may be waited for it in all. */
  readonly totalMs: number
  readonly bytes: number
}

const STALL_MS = 30_000
const START_MS = 120_000
// An encoder is some eighty times faster than that, and a machine may be busy.
const SLOWEST_SPEED = 0.5
const MAX_FRAME_BYTES = 1_441 // 320 kbit/s at 32 kHz
const SPARE_BYTES = 1_048_576

/** Generous: no sound ffmpeg comes near them. */
export function limitsOf(segment: TakenSegment, stallMs = STALL_MS): EncodeLimits {
  const frames = segment.warmUpFrames + segment.frames
  const seconds = audioSeconds(segment)
  return {
    stallMs,
    totalMs: START_MS + (1_000 * seconds) / SLOWEST_SPEED,
    bytes: SPARE_BYTES + 2 * frames * MAX_FRAME_BYTES,
  }
}

/** Of the whole recording where it is one segment; of a part its share of the bytes. */
function audioSeconds({ source, samples, startByte, endByte, wavBytes }: TakenSegment): number {
  return ((samples / source.sampleRate) * (endByte - startByte)) / wavBytes
}

/** What comes of `mp3`, which is destroyed with the reason where it goes beyond a limit. How long the reader takes is not its doing. */
export async function* withLimits(mp3: Readable, limits: EncodeLimits): AsyncGenerator<Buffer> {
  const stop = (detail: string) =>
    void mp3.destroy(new TranscodeError('attempts-exhausted', detail, { permanent: false }))
  const tooLong = `ffmpeg took longer than ${limits.totalMs / 1000} s`
  const stalled = `ffmpeg made no progress for ${limits.stallMs / 1000} s`
  let leftMs = limits.totalMs
  let bytes = 0
  let timer: NodeJS.Timeout | undefined
  let since = 0
  function startWaiting(): void {
    since = performance.now()
    const isLast = leftMs <= limits.stallMs
    timer = setTimeout(stop, Math.min(leftMs, limits.stallMs), isLast ? tooLong : stalled)
  }
  try {
    startWaiting()
    for await (const block of mp3) {
      clearTimeout(timer)
      leftMs -= performance.now() - since
      bytes += block.byteLength
      if (leftMs <= 0) stop(tooLong)
      else if (bytes > limits.bytes) stop(`ffmpeg gave more than ${limits.bytes} bytes`)
      else yield block
      startWaiting()
    }
  } finally {
    clearTimeout(timer)
  }
}
