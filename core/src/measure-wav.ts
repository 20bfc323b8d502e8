/** Compares what a WAV's header promises with what the file holds: how long the recording really is. */
import { type AudioFormat, isPacked, samplesPerBlockOf } from './pcm-source.ts'
import { WavError } from './wav-error.ts'
import type { WavHeader } from './wav-header.ts'

export interface WavMeasure {
  /** Samples of one channel, at least 1. */
  readonly samples: number
  /** Bytes of audio from `dataStart` on: whole blocks. */
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
  const { declaredDataBytes } = header
  const { blockAlign, dataStart } = header.source
  const heldBytes = Math.max(0, fileBytes - dataStart)
  const wrapped = wrappedBytes(header, fileBytes)
  const promisedBytes = declaredDataBytes === undefined ? undefined : declaredDataBytes + wrapped
  const audioBytes = Math.min(heldBytes, promisedBytes ?? heldBytes)
  const heldSamples = samplesIn(header.source, audioBytes)
  if (heldSamples === 0) {
    throw new WavError('no-audio', 'The WAV holds no audio: not one sample follows its header.')
  }
  const promisedSamples = promisedBytes === undefined ? undefined : samplesIn(header.source, promisedBytes)
  const warnings = [
    lengthWarning(header.source.sampleRate, heldSamples, promisedSamples),
    wrapped > 0 ? 'the file is larger than its header can say: all of it was converted' : undefined,
    restWarning(audioBytes % blockAlign),
    wrapped > 0 ? undefined : beyondWarning(header, fileBytes),
  ]
  return {
    samples: withoutFilling(header, heldSamples),
    dataBytes: audioBytes - (audioBytes % blockAlign),
    warnings: warnings.filter((warning) => warning !== undefined),
  }
}

/** Of one channel, in whole blocks. */
function samplesIn(format: AudioFormat, bytes: number): number {
  return Math.floor(bytes / format.blockAlign) * samplesPerBlockOf(format)
}

/** A packed recording ends within its last block: where, says `fact`, if it can be believed. */
function withoutFilling({ source, factSamples }: WavHeader, held: number): number {
  if (!isPacked(source) || factSamples === undefined) return held
  const isInLastBlock = factSamples > held - source.samplesPerBlock && factSamples <= held
  return isInLastBlock ? factSamples : held
}

function lengthWarning(
  sampleRate: number,
  samples: number,
  promised: number | undefined,
): string | undefined {
  const seconds = (count: number) => `${(count / sampleRate).toFixed(1)} s`
  if (promised === undefined) {
    return `the header leaves the length open: all ${seconds(samples)} up to the end were converted`
  }
  const missing = promised - samples
  if (missing > 0) {
    const inSamples = (count: number) => `${count} samples`
    const [before, after] = [promised, samples].map(missing < 0.1 * sampleRate ? inSamples : seconds)
    return `the header promises ${before}, the file holds ${after}: the ${after} were converted`
  }
  return undefined
}

function restWarning(bytes: number): string | undefined {
  return bytes === 0
    ? undefined
    : `the last ${bytes} bytes of the audio are no whole sample: they were left out`
}

/**
 * Tags that are hung on behind the end (ID3v1 has 128 bytes) are no reason to warn, but what may be a tenth of a
 * second of audio is.
 */
function beyondWarning(header: WavHeader, fileBytes: number): string | undefined {
  const { source, declaredDataBytes, declaredEnd } = header
  if (declaredDataBytes === undefined || declaredEnd === undefined) return undefined
  const beyond = fileBytes - Math.max(declaredEnd, source.dataStart + declaredDataBytes)
  const bytesPerSecond = (source.sampleRate * source.blockAlign) / samplesPerBlockOf(source)
  if (beyond < 0.1 * bytesPerSecond) return undefined
  return `${beyond} bytes follow the end that the header states: they were left out`
}

/**
 * Some recorders write more than 4 GiB into a plain RIFF, whose sizes then are those modulo 2^32. It shows in a file
 * that is longer than its header says by exactly a multiple of 2^32.
 */
function wrappedBytes({ declaredEnd }: WavHeader, fileBytes: number): number {
  if (declaredEnd === undefined || fileBytes <= declaredEnd) return 0
  return (fileBytes - declaredEnd) % WRAP === 0 ? fileBytes - declaredEnd : 0
}
