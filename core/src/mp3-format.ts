/** The numbers of MPEG audio layer III (ISO 11172-3, ISO 13818-3 and the 2.5 extension) that everything else builds on. */

/** Hz, ascending. */
export const MP3_RATES = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] as const

/** Samples of silence that LAME puts in front. */
export const ENCODER_DELAY = 576

const bitratesOfMpeg1 = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320] as const
const bitratesOfMpeg2 = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160] as const

export type MpegVersion = 1 | 2 | 2.5

/** The bitrates in kbit/s that a version knows, ascending; a header holds the place in this list, from 1. */
export function bitratesOf(version: MpegVersion): readonly number[] {
  return version === 1 ? bitratesOfMpeg1 : bitratesOfMpeg2
}

/** Which version has the rate. @param sampleRate one of {@link MP3_RATES}. */
export function versionOfRate(sampleRate: number): MpegVersion {
  if (sampleRate >= 32_000) return 1
  return sampleRate >= 16_000 ? 2 : 2.5
}

/** Samples of one channel in a frame. */
export function samplesPerFrameOf(sampleRate: number): 1152 | 576 {
  return versionOfRate(sampleRate) === 1 ? 1152 : 576
}

/** Size of a frame without the padding byte. */
export function frameBytes(samplesPerFrame: number, bitrateKbps: number, sampleRate: number): number {
  return Math.floor((samplesPerFrame * 125 * bitrateKbps) / sampleRate)
}
