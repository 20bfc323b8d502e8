/** The Info frame, judged by what mpg123, ffmpeg, mediainfo and mp3val make of files with it, and by LAME's own. */
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import {
  decodeByFfmpeg,
  decodeByMpg123,
  ffmpegSampleCount,
  ffprobe,
  mediainfo,
  mp3valProblems,
  mpg123SampleCount,
  signalToNoise,
} from '../../test/support/judges.ts'
import { clicks, type Material, noise, silence, speech } from '../../test/support/material.ts'
import { missing } from '../../test/support/requirement.ts'
import { buildWav } from '../../test/support/wav.ts'
import { buildInfoFrame, createFrameTally, type FrameTally } from '../src/info-frame.ts'
import { createFrameSplitter, readFrameHeader } from '../src/mp3-frames.ts'
import { planMp3 } from '../src/mp3-target.ts'
import { encode } from './support/encode.ts'
import { readHeader } from './support/read-header.ts'

interface Recording {
  readonly sampleRate: number
  readonly channels: number
  readonly samples: number
  readonly material?: Material
}

const vbr2 = ['-q:a', '2']
const cbr64 = ['-b:a', '64k']
const vbrOf2 = { kind: 'vbr', quality: 2 } as const
const cbrOf64 = { kind: 'cbr', bitrateKbps: 64 } as const

function tallyOf(mp3: Uint8Array): FrameTally {
  const splitter = createFrameSplitter()
  const tally = createFrameTally()
  for (const frame of splitter.push(mp3)) tally.add(frame)
  splitter.end()
  return tally
}

function planOf(recording: Recording) {
  const { source } = readHeader(buildWav({ ...recording, samples: 100 }))
  return planMp3(source, recording.samples)
}

/** A finished MP3: ffmpeg's frames behind our Info frame. */
async function makeMp3(recording: Recording, options = vbr2): Promise<Buffer> {
  const audio = await encode({ material: speech(), ...recording }, options)
  const tally = tallyOf(audio)
  const { paddingSamples, totalFrames } = planOf(recording)
  expect(tally.frames).toBe(totalFrames)
  const infoFrame = buildInfoFrame({
    tally,
    paddingSamples,
    rateControl: options === vbr2 ? vbrOf2 : cbrOf64,
  })
  return Buffer.concat([infoFrame, audio])
}

const canEncode = !missing('ffmpeg') && !missing('mpg123')

describe.runIf(canEncode)('the length', () => {
  const rates = [44_100, 48_000, 32_000, 22_050, 8000]
  describe.each(rates)('at %d Hz', (sampleRate) => {
    test.each([1, 2])('is exact around every boundary, for %d channels', async (channels) => {
      for (const samples of [1, 575, 576, 577, 1151, 1152, 1153, 3 * sampleRate + 7]) {
        const mp3 = await makeMp3({ sampleRate, channels, samples })
        expect(await mpg123SampleCount(mp3), `${samples} samples`).toBe(samples)
      }
    })

    test.each([1, 2])('is exact with a constant bitrate, for %d channels', async (channels) => {
      for (const samples of [1, 1152, 3 * sampleRate + 7]) {
        const mp3 = await makeMp3({ sampleRate, channels, samples }, cbr64)
        expect(await mpg123SampleCount(mp3), `${samples} samples`).toBe(samples)
      }
    })
  })

  test('is exact for 879,000 samples, where ffmpeg writes a wrong Info frame itself', async () => {
    const mp3 = await makeMp3({ sampleRate: 44_100, channels: 2, samples: 879_000, material: noise(0.2) })
    expect(await mpg123SampleCount(mp3)).toBe(879_000)
    expect(await ffmpegSampleCount(mp3)).toBe(879_000)
  })

  test.each([
    ['silence', silence],
    ['clicks in silence', clicks()],
  ])('is exact for %s, whose frames are the smallest there are', async (_name, material) => {
    const mp3 = await makeMp3({ sampleRate: 48_000, channels: 2, samples: 100_001, material })
    expect(await mpg123SampleCount(mp3)).toBe(100_001)
  })

  test('is right for ffmpeg too, and what is heard is the recording itself, nowhere shifted', async () => {
    const recording = { sampleRate: 44_100, channels: 2, samples: 50_001 }
    const material = speech()
    const mp3 = await makeMp3({ ...recording, material })
    expect(await ffmpegSampleCount(mp3)).toBe(50_001)
    const source = Float32Array.from({ length: 100_002 }, (_, at) => material(at >> 1, at % 2, 44_100))
    expect(signalToNoise(source, await decodeByMpg123(mp3))).toBeGreaterThan(15)
  })
})

describe.runIf(canEncode)('other judges', () => {
  test.skipIf(missing('mp3val')).each([vbr2, cbr64])(
    'mp3val has nothing to say with %s %s',
    async (...options) => {
      const mp3 = await makeMp3({ sampleRate: 44_100, channels: 2, samples: 100_000 }, options)
      expect(await mp3valProblems(mp3)).toEqual([])
    },
  )

  test.skipIf(missing('mediainfo'))('mediainfo knows frames, method and quality', async () => {
    const recording = { sampleRate: 48_000, channels: 2, samples: 480_000 }
    const { totalFrames } = planOf(recording)
    const vbr = await mediainfo(await makeMp3(recording))
    expect(vbr).toMatchObject({ BitRate_Mode: 'VBR', FrameCount: `${totalFrames}`, SamplingRate: '48000' })
    expect(vbr.Encoded_Library_Settings).toContain('-V 2')
    const cbr = await mediainfo(await makeMp3(recording, cbr64))
    expect(cbr).toMatchObject({ BitRate_Mode: 'CBR', BitRate: '64000', FrameCount: `${totalFrames}` })
  })

  test('ffprobe gives a duration of the recording and at most three frames more', async () => {
    const { format } = await ffprobe(await makeMp3({ sampleRate: 44_100, channels: 1, samples: 441_000 }))
    expect(Number(format.duration)).toBeGreaterThanOrEqual(10)
    expect(Number(format.duration)).toBeLessThanOrEqual(10 + (3 * 1152) / 44_100)
  })
})

describe.each([
  ['lame-vbr-44100-stereo.mp3', 36],
  ['lame-cbr-22050-mono.mp3', 13],
  ['lame-vbr-8000-mono.mp3', 13],
])("LAME's own %s", (name, offset) => {
  async function bothFrames() {
    const mp3 = await readFile(new URL(`fixtures/${name}`, import.meta.url))
    const theirs = mp3.subarray(0, readFrameHeader(mp3)?.bytes)
    const paddingSamples = theirs.readUIntBE(offset + 141, 3) & 0xfff
    const vbr = theirs.toString('latin1', offset, offset + 4) === 'Xing'
    const tally = tallyOf(mp3.subarray(theirs.length))
    const ours = buildInfoFrame({ tally, paddingSamples, rateControl: vbr ? vbrOf2 : cbrOf64 })
    return { mp3, theirs, ours, tally }
  }

  test('has its tag where ours is, with the same name, frames, delay, padding and encoder', async () => {
    const { theirs, ours } = await bothFrames()
    for (const [from, to] of [
      [0, 12],
      [120, 130],
      [141, 144],
    ]) {
      const range = [offset + (from ?? 0), offset + (to ?? 0)] as const
      expect(ours.subarray(...range).toString('hex')).toBe(theirs.subarray(...range).toString('hex'))
    }
  })

  test('counts the same bytes and has the same music CRC', async () => {
    const { mp3, theirs, ours, tally } = await bothFrames()
    expect(theirs.readUInt32BE(offset + 12)).toBe(mp3.length)
    expect(ours.readUInt32BE(offset + 12)).toBe(mp3.length - theirs.length + ours.length)
    expect(ours.readUInt32BE(offset + 148)).toBe(ours.readUInt32BE(offset + 12))
    expect(tally.musicCrc).toBe(theirs.readUInt16BE(offset + 152))
  })

  test('is no shorter than ours', async () => {
    const { theirs, ours } = await bothFrames()
    expect(ours.length).toBeLessThanOrEqual(theirs.length)
    expect(ours.length).toBeGreaterThanOrEqual(offset + 156)
    expect(readFrameHeader(ours)?.bytes).toBe(ours.length)
  })
})

describe('the seek table', () => {
  // 200 frames of 417 bytes behind a frame of 208: built by hand, so the places are known.
  const frame = Buffer.concat([Buffer.from('fffb9044', 'hex'), Buffer.alloc(413)])
  const tally = createFrameTally()
  for (let count = 0; count < 200; count += 1) tally.add(frame)
  const info = buildInfoFrame({ tally, paddingSamples: 1000, rateControl: vbrOf2 })

  test('names the place of each hundredth in 256ths of the file, this frame included', () => {
    expect(info).toHaveLength(208)
    const places = Array.from({ length: 100 }, (_, percent) => 208 + 2 * percent * 417)
    const table = places.map((place) => Math.floor((256 * place) / (208 + 200 * 417)))
    expect([...info.subarray(52, 152)]).toEqual(table)
  })

  test('of an MP3 with fewer frames than a hundred points names frames more than once', () => {
    const short = createFrameTally()
    for (let count = 0; count < 3; count += 1) short.add(frame)
    const table = buildInfoFrame({ tally: short, paddingSamples: 1000, rateControl: vbrOf2 }).subarray(
      52,
      152,
    )
    expect([table[0], table[33], table[34], table[66], table[67], table[99]]).toEqual([
      36, 36, 109, 109, 182, 182,
    ])
  })
})

test.runIf(canEncode)('ffmpeg that seeks into the middle lands within a frame of it', async () => {
  const material = noise(0.3)
  const mp3 = await makeMp3({ sampleRate: 44_100, channels: 1, samples: 30 * 44_100, material })
  // The first frames after a seek may lack what earlier ones hold for them (the bit reservoir).
  const start = 6000
  const heard = (await decodeByFfmpeg(mp3, { fromSeconds: 15 })).subarray(start, start + 2000)
  const lags = Array.from({ length: 2 * 1152 + 1 }, (_, at) => at - 1152)
  const likeness = lags.map((lag) => {
    const source = (index: number) => material(15 * 44_100 + start + lag + index, 0, 44_100)
    return heard.reduce((sum, value, index) => sum + value * source(index), 0)
  })
  const power = heard.reduce((sum, value) => sum + value ** 2, 0)
  expect(Math.max(...likeness)).toBeGreaterThan(0.5 * power)
})

test('no frame, or one that is none, gives no Info frame', () => {
  const input = { tally: createFrameTally(), paddingSamples: 1000, rateControl: vbrOf2 }
  expect(() => buildInfoFrame(input)).toThrow('at least one frame')
  input.tally.add(Buffer.from('no frame'))
  expect(() => buildInfoFrame(input)).toThrow('no valid header')
})
