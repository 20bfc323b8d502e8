/** Mixes any channels down to one or two: how much of each goes where, by the speakers that the WAV names for them. */
import type { PcmSource } from './pcm-source.ts'

/** For each channel of the MP3, the gains of all channels of the WAV. */
export type Mixdown = readonly (readonly number[])[]

/** How loud a speaker is on the left and on the right. */
type Gains = readonly [left: number, right: number]

const HALF_POWER = Math.SQRT1_2

/**
 * By the bits of the channel mask (WAVE_FORMAT_EXTENSIBLE). The usual stereo mix of ITU-R BS.775: centre, sides and back at
 * -3 dB, the one in the middle of the back on both sides, no low-frequency effects; what hangs above is 3 dB below
 * what stands beneath it.
 */
const gainsOfSpeakers: readonly Gains[] = [
  [1, 0], // front left
  [0, 1], // front right
  [HALF_POWER, HALF_POWER], // front centre
  [0, 0], // low-frequency effects
  [HALF_POWER, 0], // back left
  [0, HALF_POWER], // back right
  [1, 0], // front left of centre
  [0, 1], // front right of centre
  [0.5, 0.5], // back centre
  [HALF_POWER, 0], // side left
  [0, HALF_POWER], // side right
  [0.5, 0.5], // top centre
  [HALF_POWER, 0], // top front left
  [0.5, 0.5], // top front centre
  [0, HALF_POWER], // top front right
  [0.5, 0], // top back left
  [0.5 * HALF_POWER, 0.5 * HALF_POWER], // top back centre
  [0, 0.5], // top back right
]

/** Where the mask names no speaker for each channel: the order of FLAC, Vorbis and Opus (RFC 9639, section 9.1.3). */
const usualMasks: Readonly<Record<number, number>> = {
  3: 0b111, // left, right, centre
  4: 0b11_0011, // front and back
  5: 0b11_0111,
  6: 0b11_1111, // 5.1
  7: 0b111_0000_1111, // 6.1
  8: 0b110_0011_1111, // 7.1
}

/**
 * The loudest that can come out is full scale, so nothing clips. Two channels stay left and right, whatever the mask calls
 * them, and one is as loud on both sides as it was.
 *
 * @returns undefined if the channels pass as they are.
 */
export function mixdownOf({ channels, channelMask }: PcmSource, outputChannels: 1 | 2): Mixdown | undefined {
  if (channels === outputChannels) return undefined
  if (channels === 1) return [[1], [1]]
  const speakers = channels === 2 ? gainsOfSpeakers.slice(0, 2) : speakersOf(channels, channelMask)
  const stereo = [speakers.map(([left]) => left), speakers.map(([, right]) => right)]
  return withinFullScale(outputChannels === 2 ? stereo : [speakers.map(([left, right]) => left + right)])
}

/** The channels lie in the order of the mask's bits. */
function speakersOf(channels: number, mask: number | undefined): readonly Gains[] {
  const named = mask === undefined ? [] : speakersIn(mask)
  return named.length === channels ? named : speakersIn(usualMasks[channels] ?? 0)
}

/** @returns none if the mask names a speaker that nobody knows. */
function speakersIn(mask: number): readonly Gains[] {
  if (mask >= 2 ** gainsOfSpeakers.length) return []
  return gainsOfSpeakers.filter((_, bit) => (mask & (1 << bit)) !== 0)
}

function withinFullScale(mix: Mixdown): Mixdown {
  const loudest = Math.max(...mix.map((gains) => gains.reduce((sum, gain) => sum + gain, 0)))
  return loudest <= 1 ? mix : mix.map((gains) => gains.map((gain) => gain / loudest))
}
