/** Reads MPEG audio frame headers (layer III; ISO 11172-3, ISO 13818-3 and the 2.5 extension) and cuts streams into frames. */
import { bitratesOf, frameBytes, type MpegVersion } from './mp3-format.ts'

export interface FrameHeader {
  readonly version: MpegVersion
  readonly bitrateKbps: number
  /** Hz. */
  readonly sampleRate: number
  readonly padding: boolean
  readonly channels: 1 | 2
  readonly isJointStereo: boolean
  /** True if a CRC of two bytes follows the header. */
  readonly hasCrc: boolean
  readonly samplesPerFrame: 1152 | 576
  /** The whole frame, header included. */
  readonly bytes: number
}

export interface FrameSplitter {
  /**
   * The frames that are whole by now. Those that lie within `bytes` are views of it.
   * @throws Error where a frame should begin and none does.
   */
  push(bytes: Uint8Array): Uint8Array[]
  /** The stream has ended. @throws Error if it ends within a frame. */
  end(): void
}

export const FRAME_HEADER_BYTES = 4

const ratesOfMpeg1 = [44_100, 48_000, 32_000] as const

// By the two version bits; 01 is reserved.
const versions = [2.5, undefined, 2, 1] as const
const rateDivisors = { 1: 1, 2: 2, 2.5: 4 } as const

const LAYER_III = 0b01
const JOINT_STEREO = 0b01
const MONO = 0b11
const RESERVED_EMPHASIS = 0b10

/**
 * Reads the four bytes at `offset`.
 * @returns undefined if they begin no layer III frame, or one of free format (whose length its header does not say).
 */
export function readFrameHeader(bytes: Uint8Array, offset = 0): FrameHeader | undefined {
  const [sync, kind, sizes, mode] = bytes.subarray(offset, offset + FRAME_HEADER_BYTES)
  if (sync !== 0xff || kind === undefined || sizes === undefined || mode === undefined) return undefined
  if (kind >> 5 !== 0b111 || ((kind >> 1) & 0b11) !== LAYER_III) return undefined
  const version = versions[(kind >> 3) & 0b11]
  const rate = ratesOfMpeg1[(sizes >> 2) & 0b11]
  if (version === undefined || rate === undefined || (mode & 0b11) === RESERVED_EMPHASIS) return undefined
  const bitrateKbps = bitratesOf(version)[(sizes >> 4) - 1]
  if (bitrateKbps === undefined) return undefined
  const samplesPerFrame = version === 1 ? 1152 : 576
  const sampleRate = rate / rateDivisors[version]
  const padding = (sizes & 0b10) !== 0
  return {
    version,
    bitrateKbps,
    sampleRate,
    padding,
    channels: mode >> 6 === MONO ? 1 : 2,
    isJointStereo: mode >> 6 === JOINT_STEREO,
    hasCrc: (kind & 1) === 0,
    samplesPerFrame,
    bytes: frameBytes(samplesPerFrame, bitrateKbps, sampleRate) + (padding ? 1 : 0),
  }
}

/** Cuts a stream that consists of nothing but frames; keeps at most one unfinished frame. */
export function createFrameSplitter(): FrameSplitter {
  let kept = new Uint8Array(0)
  let position = 0
  return {
    push(bytes) {
      const input = kept.length === 0 ? bytes : Buffer.concat([kept, bytes])
      const frames: Uint8Array[] = []
      let at = 0
      while (input.length - at >= FRAME_HEADER_BYTES) {
        const header = readFrameHeader(input, at)
        if (header === undefined) throw new Error(`No MPEG frame begins at byte ${position + at}`)
        if (input.length - at < header.bytes) break
        frames.push(input.subarray(at, at + header.bytes))
        at += header.bytes
      }
      kept = new Uint8Array(input.subarray(at))
      position += at
      return frames
    },
    end() {
      if (kept.length > 0) throw new Error(`The MPEG stream ends within the frame at byte ${position}`)
    },
  }
}
