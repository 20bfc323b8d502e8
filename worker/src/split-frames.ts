/** Cuts a stream into MP3 frames, and says so in the reader's own words where it is none. */
import { type FailureCode, TranscodeError } from '@wavemill/core/failures'
import { createFrameSplitter } from '@wavemill/core/mp3-frames'

/**
 * The frames of each piece of the stream.
 *
 * @param complaint what the error is made of where the stream holds anything but whole frames.
 */
export async function* splitFrames(
  mp3: AsyncIterable<Uint8Array>,
  complaint: { code: FailureCode; detail: string; permanent: boolean },
): AsyncGenerator<Uint8Array[]> {
  const splitter = createFrameSplitter()
  function orComplain<T>(split: () => T): T {
    try {
      return split()
    } catch (cause) {
      throw new TranscodeError(complaint.code, complaint.detail, { permanent: complaint.permanent, cause })
    }
  }
  for await (const bytes of mp3) yield orComplain(() => splitter.push(bytes))
  orComplain(() => splitter.end())
}
