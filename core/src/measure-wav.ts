/** Compares what a WAV's header promises with what the file holds: how long the recording really is. */
import { WavError } from './wav-error.ts'
import type { WavHeader } from './wav-header.ts'

export interface WavMeasure {
  /** Samples of one channel, at least 1. */
  readonly samples: number
  /** Bytes of audio from `dataStart` on: `samples` whole blocks. */
  readonly dataBytes: number
  /** What had to be guessed, a phrase for the client each. */
  readonly warnings: readonly string[]
}

/** Where 32-bit sizes begin anew. */
const WRAP = 2 ** 32

/**
 * @param fileBytes size of the whole file.
 * @throws WavError `no-audio` if there is not one whole sample.
 */
export function measureWav(header: WavHeader, fileBytes: number): WavMeasure {
  const { source, declaredDataBytes } = header
  const held = Math.max(0, fileBytes - source.dataStart)
  const wrapped = wrappedBytes(header, fileBytes)
  const promised = declaredDataBytes === undefined ? undefined : declaredDataBytes + wrapped
  const audioBytes = Math.min(held, promised ?? held)
  const samples = Math.floor(audioBytes / source.blockAlign)
  if (samples === 0)
    throw new WavError('no-audio', 'The WAV holds no audio: not one sample follows its header.')

  const seconds = (count: number) => `${(count / source.sampleRate).toFixed(1)} s`
  const warnings: string[] = []
  if (promised === undefined) {
    warnings.push(`the header leaves the length open: all ${seconds(samples)} up to the end were converted`)
  } else if (wrapped > 0) {
    warnings.push(`the file is too long for the sizes in its header: all ${seconds(samples)} were converted`)
  }
  const missing = promised === undefined ? 0 : Math.floor(promised / source.blockAlign) - samples
  if (missing > 0) {
    const unit = missing < 0.1 * source.sampleRate ? (count: number) => `${count} samples` : seconds
    const [before, after] = [unit(samples + missing), unit(samples)]
    warnings.push(`the header promises ${before}, the file holds ${after}: the ${after} were converted`)
  }
  const rest = audioBytes % source.blockAlign
  if (rest > 0) warnings.push(`the last ${rest} bytes of the audio are no whole sample: they were left out`)
  const beyond = bytesBeyond(header, fileBytes, wrapped)
  if (beyond > 0) warnings.push(`${beyond} bytes follow the end that the header states: they were left out`)
  return { samples, dataBytes: samples * source.blockAlign, warnings }
}

/**
 * Some recorders write more than 4 GiB into a plain RIFF, whose sizes then are those modulo 2^32. It shows in a file
 * that is longer than its header says by exactly a multiple of 2^32.
 */
function wrappedBytes({ declaredEnd }: WavHeader, fileBytes: number): number {
  if (declaredEnd === undefined || fileBytes <= declaredEnd) return 0
  return (fileBytes - declaredEnd) % WRAP === 0 ? fileBytes - declaredEnd : 0
}

/**
 * Bytes behind the file's declared end. Tags that are hung on there (ID3v1 has 128 bytes) are no reason to warn, but
 * a tenth of a second of audio may be.
 */
function bytesBeyond(header: WavHeader, fileBytes: number, wrapped: number): number {
  const { source, declaredDataBytes, declaredEnd } = header
  if (declaredDataBytes === undefined || declaredEnd === undefined || wrapped > 0) return 0
  const beyond = fileBytes - Math.max(declaredEnd, source.dataStart + declaredDataBytes)
  return beyond >= 0.1 * source.sampleRate * source.blockAlign ? beyond : 0
}
