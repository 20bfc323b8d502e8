/** Writes the Xing/Info frame with LAME's part: length, seek table, and the samples that a gapless player drops. */
import { crc16 } from './crc16.ts'
import type { RateControl } from './encode-options.ts'
import { bitratesOf, ENCODER_DELAY, frameBytes } from './mp3-format.ts'
import { FRAME_HEADER_BYTES, type FrameHeader, readFrameHeader } from './mp3-frames.ts'

/** What the Info frame says of the frames behind it; filled by adding them in their order. */
export interface FrameTally {
  /** Takes the next whole frame; keeps nothing of it. */
  add(frame: Uint8Array): void
  readonly frames: number
  /** Of all frames together. */
  readonly bytes: number
  /** CRC-16 of all frames together. */
  readonly musicCrc: number
  /** The header of the first frame, as bytes. @throws Error while there is none. */
  readonly firstHeader: Uint8Array
  /** Where each of these frames begins, in bytes after the first one's begin; `indexes` ascend. */
  positionsOf(indexes: readonly number[]): number[]
}

export interface InfoFrameInput {
  readonly tally: FrameTally
  /** Silence at the end, from the plan. */
  readonly paddingSamples: number
  readonly rateControl: RateControl
}

/** Makes an empty tally. It keeps two bytes for each frame: about 280 KB for an hour. */
export function createFrameTally(): FrameTally {
  let sizes = new Uint16Array(1024)
  let frames = 0
  let bytes = 0
  let musicCrc = 0
  let firstHeader: Uint8Array | undefined
  return {
    add(frame) {
      firstHeader ??= Uint8Array.from(frame.subarray(0, FRAME_HEADER_BYTES))
      if (frames === sizes.length) {
        const longer = new Uint16Array(2 * frames)
        longer.set(sizes)
        sizes = longer
      }
      sizes[frames] = frame.length
      frames += 1
      bytes += frame.length
      musicCrc = crc16(frame, musicCrc)
    },
    get frames() {
      return frames
    },
    get bytes() {
      return bytes
    },
    get musicCrc() {
      return musicCrc
    },
    get firstHeader() {
      if (firstHeader === undefined) throw new Error('An MP3 has at least one frame')
      return firstHeader
    },
    positionsOf(indexes) {
      let frame = 0
      let position = 0
      return indexes.map((index) => {
        for (; frame < index; frame += 1) position += sizes[frame] ?? 0
        return position
      })
    },
  }
}

const TAG_BYTES = 156
const ALL_FIELDS = 0b1111
// Some decoders heed delay and padding only after a name that they know.
const ENCODER_NAME = 'LAME3.100'
const METHOD_CBR = 1
const METHOD_VBR = 4
const MAX_U32 = 0xffff_ffff

/**
 * Builds the frame that goes in front of the audio: it decodes to silence, and players that know it play none of it.
 * Source: LAME's "Mp3 Info Tag revision 1" and its VbrTag.c; the fields are written in their order.
 */
export function buildInfoFrame({ tally, paddingSamples, rateControl }: InfoFrameInput): Buffer {
  const audio = readFrameHeader(tally.firstHeader)
  if (audio === undefined) throw new Error('The first frame of the MP3 has no valid header')
  const offset = tagOffset(audio)
  const vbr = rateControl.kind === 'vbr'
  const bitrateKbps = bitrateOfInfoFrame(audio, offset, vbr)
  const ownBytes = frameBytes(audio.samplesPerFrame, bitrateKbps, audio.sampleRate)
  const frame = Buffer.alloc(ownBytes)
  frame.set(headerWithBitrate(tally.firstHeader, audio, bitrateKbps))

  // An MP3 beyond 4 GiB cannot be told in 32 bits.
  const allBytes = Math.min(ownBytes + tally.bytes, MAX_U32)
  const tag = frame.subarray(offset)
  tag.write(vbr ? 'Xing' : 'Info', 0, 'latin1')
  tag.writeUInt32BE(ALL_FIELDS, 4)
  tag.writeUInt32BE(tally.frames, 8)
  tag.writeUInt32BE(allBytes, 12)
  tag.set(seekTable(tally, ownBytes), 16)
  tag.writeUInt32BE(vbr ? 100 - 10 * rateControl.quality : 0, 116)
  tag.write(ENCODER_NAME, 120, 'latin1')
  tag.writeUInt8(vbr ? METHOD_VBR : METHOD_CBR, 129)
  tag.writeUInt8(vbr ? 0 : Math.min(audio.bitrateKbps, 255), 140)
  tag.writeUIntBE((ENCODER_DELAY << 12) | paddingSamples, 141, 3)
  tag.writeUInt8((rateCode(audio) << 6) | (stereoCode(audio) << 2), 144)
  tag.writeUInt32BE(allBytes, 148)
  tag.writeUInt16BE(tally.musicCrc, 152)
  tag.writeUInt16BE(crc16(frame.subarray(0, offset + 154)), 154)
  return frame
}

/** Xing's tag stands where the first frame's granules would: behind the header and its side information. */
function tagOffset({ version, channels }: FrameHeader): number {
  const sideInfoBytes = version === 1 ? { 1: 17, 2: 32 } : { 1: 9, 2: 17 }
  return FRAME_HEADER_BYTES + sideInfoBytes[channels]
}

/**
 * A CBR file's frames are all alike, this one too (otherwise mediainfo takes it for VBR), unless they are too short
 * to hold the tag; then, and in VBR, the smallest frame that holds it is used.
 */
function bitrateOfInfoFrame(audio: FrameHeader, offset: number, vbr: boolean): number {
  const fits = (bitrateKbps: number) =>
    frameBytes(audio.samplesPerFrame, bitrateKbps, audio.sampleRate) >= offset + TAG_BYTES
  if (!vbr && fits(audio.bitrateKbps)) return audio.bitrateKbps
  const smallest = bitratesOf(audio.version).find(fits)
  if (smallest === undefined) throw new Error(`No frame of ${audio.sampleRate} Hz can hold the Info tag`)
  return smallest
}

/** The audio's header with another bitrate, and without CRC and padding byte. */
function headerWithBitrate(header: Uint8Array, audio: FrameHeader, bitrateKbps: number): Uint8Array {
  const [sync = 0, kind = 0, sizes = 0, mode = 0] = header
  const bitrateIndex = 1 + bitratesOf(audio.version).indexOf(bitrateKbps)
  return Uint8Array.of(sync, kind | 1, (bitrateIndex << 4) | (sizes & 0b1100), mode)
}

/** 100 points: entry i says, in 256ths of all bytes, where the frame begins that is at i per cent of the time. */
function seekTable(tally: FrameTally, infoFrameBytes: number): Uint8Array {
  const frames = Array.from({ length: 100 }, (_, percent) => Math.floor((percent * tally.frames) / 100))
  const allBytes = infoFrameBytes + tally.bytes
  return Uint8Array.from(tally.positionsOf(frames), (position) =>
    Math.min(255, Math.floor((256 * (infoFrameBytes + position)) / allBytes)),
  )
}

function rateCode({ sampleRate }: FrameHeader): number {
  if (sampleRate <= 32_000) return 0
  return sampleRate === 44_100 ? 1 : 2
}

function stereoCode({ channels, isJointStereo }: FrameHeader): number {
  if (channels === 1) return 0
  return isJointStereo ? 3 : 1
}
