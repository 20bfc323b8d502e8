/** The frame reader and splitter, judged by ffprobe and by files that LAME wrote. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { missing } from '../../test/support/requirement.ts'
import { createFrameSplitter, type FrameHeader, readFrameHeader } from '../src/mp3-frames.ts'

const run = promisify(execFile)
const lameFiles = ['lame-vbr-44100-stereo.mp3', 'lame-cbr-22050-mono.mp3', 'lame-vbr-8000-mono.mp3']
const pathOf = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

function headerOf(hex: string): FrameHeader | undefined {
  return readFrameHeader(Buffer.from(hex, 'hex'))
}

describe('a frame header', () => {
  // Sizes from the standard's formula: 144 (MPEG-1) or 72 (2 and 2.5) times bit/s divided by Hz, plus the padding.
  const known: [string, Partial<FrameHeader>][] = [
    [
      'fffb9044',
      { version: 1, bitrateKbps: 128, sampleRate: 44_100, padding: false, channels: 2, bytes: 417 },
    ],
    ['fffb9244', { bitrateKbps: 128, padding: true, isJointStereo: true, hasCrc: false, bytes: 418 }],
    ['fffae400', { bitrateKbps: 320, sampleRate: 48_000, hasCrc: true, isJointStereo: false, bytes: 960 }],
    ['fffb18c0', { bitrateKbps: 32, sampleRate: 32_000, channels: 1, samplesPerFrame: 1152, bytes: 144 }],
    ['fff380c4', { version: 2, bitrateKbps: 64, sampleRate: 22_050, channels: 1, bytes: 208 }],
    ['fff3e464', { version: 2, bitrateKbps: 160, sampleRate: 24_000, samplesPerFrame: 576, bytes: 480 }],
    ['ffe348c4', { version: 2.5, bitrateKbps: 32, sampleRate: 8000, samplesPerFrame: 576, bytes: 288 }],
    ['ffe318c4', { version: 2.5, bitrateKbps: 8, sampleRate: 8000, bytes: 72 }],
  ]
  test.each(known)('%s is read', (hex, fields) => {
    expect(headerOf(hex)).toMatchObject(fields)
  })

  test.each([
    ['49443303', 'an ID3 tag'],
    ['fffd9044', 'layer II'],
    ['fff99044', 'layer 0 of AAC'],
    ['ffeb9044', 'the reserved version'],
    ['fffb0044', 'free format'],
    ['fffbf044', 'the forbidden bitrate'],
    ['fffb9c44', 'the reserved rate'],
    ['fffb9046', 'the reserved emphasis'],
    ['ff1b9044', 'half a sync word'],
    ['fffb90', 'three bytes'],
  ])('%s is none: %s', (hex) => {
    expect(headerOf(hex)).toBeUndefined()
  })
})

describe('the splitter', () => {
  test.skipIf(missing('ffprobe')).each(lameFiles)('cuts %s where ffprobe sees its packets', async (name) => {
    const packets = ['-show_entries', 'packet=pos,size', '-of', 'csv=p=0']
    const { stdout } = await run('ffprobe', ['-v', 'error', ...packets, pathOf(name)])
    const mp3 = await readFile(pathOf(name))
    const [infoFrame, ...frames] = createFrameSplitter().push(mp3)
    let position = infoFrame?.length ?? 0
    const lines = frames.map((frame) => {
      position += frame.length
      return `${frame.length},${position - frame.length}`
    })
    expect(lines).toEqual(stdout.match(/\d+,\d+/g))
  })

  test('gives the same frames in whatever pieces the stream comes', async () => {
    const mp3 = await readFile(pathOf('lame-vbr-44100-stereo.mp3'))
    const whole = createFrameSplitter()
      .push(mp3)
      .map((frame) => frame.length)
    const pieceSizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 })
    const property = fc.property(pieceSizes, (sizes) => {
      const splitter = createFrameSplitter()
      const frames: Uint8Array[] = []
      for (let start = 0, turn = 0; start < mp3.length; turn += 1) {
        // One buffer is used for all pieces, as some streams do: what is kept must not change with it.
        const piece = Buffer.from(mp3.subarray(start, start + (sizes[turn % sizes.length] ?? 1)))
        frames.push(...splitter.push(piece).map((frame) => Buffer.from(frame)))
        start += piece.length
        piece.fill(0)
      }
      splitter.end()
      expect(frames.map((frame) => frame.length)).toEqual(whole)
      expect(Buffer.concat(frames).equals(mp3)).toBe(true)
    })
    fc.assert(property, { numRuns: 200 })
  })

  test('says where no frame begins', async () => {
    const mp3 = await readFile(pathOf('lame-cbr-22050-mono.mp3'))
    const splitter = createFrameSplitter()
    expect(splitter.push(mp3.subarray(0, 300))).toHaveLength(1)
    expect(() => splitter.push(Buffer.concat([mp3.subarray(300, 416), Buffer.from('TAG...')]))).toThrow(
      'No MPEG frame begins at byte 416',
    )
  })

  test('says where a stream ends within a frame', async () => {
    const mp3 = await readFile(pathOf('lame-cbr-22050-mono.mp3'))
    const splitter = createFrameSplitter()
    splitter.push(mp3.subarray(0, 2 * 208 + 3))
    expect(() => splitter.end()).toThrow('within the frame at byte 416')
  })

  test('takes an empty stream', () => {
    const splitter = createFrameSplitter()
    expect(splitter.push(new Uint8Array(0))).toEqual([])
    splitter.end()
  })
})
