/** What every kind of WAV becomes: as long as its source to the sample, and sounding like it. */
import type { EncodeOptions } from '@wavemill/core/encode-options'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  decodeByMpg123,
  ffmpegSampleCount,
  mediainfo,
  mp3valProblems,
  mpg123SampleCount,
  signalToNoise,
} from '../../test/support/judges.ts'
import { noise, tones } from '../../test/support/material.ts'
import { buildWav, type WavSpec } from '../../test/support/wav.ts'
import { transcodeSegment } from '../src/transcode-segment.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'

let surroundings: Surroundings
beforeAll(async () => {
  surroundings = await createSurroundings()
})
afterAll(() => surroundings.close())

/** Stores the WAV, transcodes it as one job does, and gives the MP3. */
async function mp3From(wav: Buffer, encode: EncodeOptions = {}): Promise<Buffer> {
  const key = await surroundings.storeRecording([wav], { encode })
  const job = { recordKey: key.toString(), seq: 0 }
  expect(await transcodeSegment(surroundings.tools, job, new AbortController().signal)).toBeUndefined()
  expect((await surroundings.stateOf(key)).status).toBe('ready')
  return await surroundings.mp3Of(key)
}

/** The material itself, in plain numbers, the channels interleaved. */
function sourceOf({
  samples = 0,
  channels = 2,
  sampleRate = 44_100,
  material = tones(),
}: WavSpec): Float32Array {
  return Float32Array.from({ length: samples * channels }, (_, at) =>
    material(Math.floor(at / channels), at % channels, sampleRate),
  )
}

const kinds: readonly [string, WavSpec, number][] = [
  ['8-bit mono', { encoding: 'u8', channels: 1 }, 25],
  ['8-bit stereo', { encoding: 'u8' }, 25],
  ['16-bit mono', { encoding: 's16', channels: 1 }, 30],
  ['16-bit stereo', { encoding: 's16' }, 30],
  ['16-bit stereo, extensible', { encoding: 's16', extensible: true, channelMask: 3 }, 30],
  ['24-bit mono', { encoding: 's24', channels: 1 }, 30],
  ['24-bit stereo, extensible', { encoding: 's24', extensible: true, channelMask: 3 }, 30],
  ['20 bits in 24, extensible', { encoding: 's24', extensible: true, validBits: 20 }, 30],
  ['32-bit stereo', { encoding: 's32' }, 30],
  ['32-bit mono, extensible', { encoding: 's32', extensible: true, channels: 1, channelMask: 4 }, 30],
  ['32-bit float mono', { encoding: 'f32', channels: 1 }, 30],
  ['32-bit float stereo', { encoding: 'f32' }, 30],
  ['32-bit float stereo, extensible', { encoding: 'f32', extensible: true, channelMask: 3 }, 30],
  ['64-bit float', { encoding: 'f64' }, 30],
  ['64-bit integers', { encoding: 's64' }, 30],
  ['A-law', { encoding: 'alaw', sampleRate: 8_000, channels: 1 }, 25],
  ['u-law', { encoding: 'mulaw', sampleRate: 8_000, channels: 1 }, 25],
  ['big-endian 16-bit', { encoding: 's16', container: 'RIFX' }, 30],
  ['big-endian float', { encoding: 'f32', container: 'RIFX' }, 30],
  ['48 kHz', { sampleRate: 48_000 }, 30],
  ['32 kHz', { sampleRate: 32_000 }, 30],
  ['22.05 kHz mono', { sampleRate: 22_050, channels: 1 }, 30],
  ['8 kHz mono', { sampleRate: 8_000, channels: 1 }, 25],
]

test.each(kinds)(
  '%s has the level and the pitch of its source, in each channel, and its length',
  async (_, kind, leastDb) => {
    const spec: WavSpec = {
      ...kind,
      samples: kind.sampleRate === 8_000 ? 12_007 : 44_107,
      material: tones(0.4),
    }
    const mp3 = await mp3From(buildWav(spec))
    expect(signalToNoise(sourceOf(spec), await decodeByMpg123(mp3))).toBeGreaterThan(leastDb)
    expect(await ffmpegSampleCount(mp3)).toBe(spec.samples)
  },
)

test.each([1, 2, 575, 576, 577, 1_151, 1_152, 1_153, 44_100, 879_000])(
  '%i samples come back as so many, by mpg123 and by ffmpeg',
  async (samples) => {
    const mp3 = await mp3From(buildWav({ samples, channels: 1, material: noise(0.2) }))
    expect(await mpg123SampleCount(mp3)).toBe(samples)
    expect(await ffmpegSampleCount(mp3)).toBe(samples)
  },
)

test('what has to be resampled is as long as the rounded-up length at the new rate', async () => {
  for (const [sampleRate, samples, expected] of [
    [96_000, 100_001, 50_001],
    [11_127, 30_000, Math.ceil((30_000 * 11_025) / 11_127)],
    [96_000, 3, 2],
  ] as const) {
    const mp3 = await mp3From(buildWav({ sampleRate, samples, channels: 1 }))
    expect(await mpg123SampleCount(mp3)).toBe(expected)
  }
})

describe('channels are mixed by what the mask calls them:', () => {
  // Gains of ITU-R BS.775, divided by the sum of a side so that nothing can clip.
  const c = Math.SQRT1_2
  const mixes: readonly [string, WavSpec, EncodeOptions, readonly (readonly number[])[]][] = [
    [
      '5.1 without a mask',
      { channels: 6 },
      {},
      [
        [1, 0, c, 0, c, 0],
        [0, 1, c, 0, 0, c],
      ],
    ],
    [
      '5.1 with side speakers',
      { channels: 6, channelMask: 0x60f },
      {},
      [
        [1, 0, c, 0, c, 0],
        [0, 1, c, 0, 0, c],
      ],
    ],
    [
      'two in front and two behind',
      { channels: 4, channelMask: 0x33 },
      {},
      [
        [1, 0, c, 0],
        [0, 1, 0, c],
      ],
    ],
    [
      'three in front and one behind',
      { channels: 4, channelMask: 0x107 },
      {},
      [
        [1, 0, c, 0.5],
        [0, 1, c, 0.5],
      ],
    ],
    [
      'floats',
      { channels: 6, encoding: 'f32' },
      {},
      [
        [1, 0, c, 0, c, 0],
        [0, 1, c, 0, 0, c],
      ],
    ],
    ['one channel to two', { channels: 1 }, { channels: 2 }, [[1], [1]]],
    ['two channels to one', { channels: 2 }, { channels: 1 }, [[1, 1]]],
    ['floats, two channels to one', { channels: 2, encoding: 'f32' }, { channels: 1 }, [[1, 1]]],
  ]
  test.each(mixes)('%s', async (_, layout, encode, gains) => {
    const material = tones(0.9)
    const spec = { ...layout, samples: 30_000, material, extensible: layout.channelMask !== undefined }
    const sums = gains.map((side) => side.reduce((sum, gain) => sum + gain, 0))
    const expected = Float32Array.from({ length: gains.length * spec.samples }, (_, at) => {
      const side = at % gains.length
      const mixed = (gains[side] ?? []).reduce(
        (sum, gain, channel) => sum + gain * material(Math.floor(at / gains.length), channel, 44_100),
        0,
      )
      return mixed / (sums[side] ?? 1)
    })
    const heard = await decodeByMpg123(await mp3From(buildWav(spec), encode))
    expect(signalToNoise(expected, heard)).toBeGreaterThan(25)
  })
})

test.each([
  [{ quality: 9 }, { BitRate_Mode: 'VBR', SamplingRate: '44100' }],
  [{ bitrate: 320 }, { BitRate_Mode: 'CBR', BitRate: '320000' }],
  [
    { bitrate: 64, sampleRate: 22_050, channels: 1 as const },
    { BitRate: '64000', SamplingRate: '22050', Channels: '1' },
  ],
])('options %j are what mediainfo sees', async (encode, expected) => {
  expect(await mediainfo(await mp3From(buildWav({ samples: 88_200 }), encode))).toMatchObject(expected)
})

test.each([
  [{ bitrate: 8, sampleRate: 24_000 }, 120_000],
  [{ bitrate: 8, sampleRate: 8000 }, 40_000],
  [{ bitrate: 64, sampleRate: 8000 }, 40_000],
  [{ bitrate: 160, sampleRate: 16_000 }, 80_000],
  [{ bitrate: 32, channels: 2 as const }, 240_000],
  [{ bitrate: 320 }, 240_000],
])('with the extreme %j the MP3 is sound and has its exact length', async (encode, samples) => {
  const spec = { samples: 240_000, sampleRate: 48_000, channels: 1, material: noise(0.2) }
  const mp3 = await mp3From(buildWav(spec), encode)
  expect(await mpg123SampleCount(mp3)).toBe(samples)
  expect(await mp3valProblems(mp3)).toEqual([])
})

test('the whole file is sound to mp3val', async () => {
  expect(await mp3valProblems(await mp3From(buildWav({ samples: 200_000 })))).toEqual([])
})

test('samples that are no numbers, endless or too loud are silence and full scale, and the rest is untouched', async () => {
  const strange = [Number.NaN, Infinity, -Infinity, 1e30, -3e38]
  const spec: WavSpec = {
    ...{ encoding: 'f32', samples: 60_000, channels: 1 },
    material: (index, channel, rate) =>
      index < 30_000 && index % 1_000 === 999
        ? (strange[(index / 1_000) | 0] ?? Number.NaN)
        : tones(0.3)(index, channel, rate),
  }
  const heard = await decodeByMpg123(await mp3From(buildWav(spec)))
  expect(heard.every((value) => Math.abs(value) < 2)).toBe(true)
  expect(signalToNoise(sourceOf(spec).slice(40_000), heard.slice(40_000))).toBeGreaterThan(25)
})
