/** A recording of several segments: exactly as long as its source, and sound to every judge. */
import type { EncodeOptions } from '@wavemill/core/encode-options'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  decodeByFfmpeg,
  ffmpegSampleCount,
  ffprobe,
  mediainfo,
  mp3valProblems,
  mpg123SampleCount,
} from '../../test/support/judges.ts'
import { noise } from '../../test/support/material.ts'
import { transcodeSegment } from '../src/transcode-segment.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'
import { type Recording, storeInSegments, transcodeAll } from './support/transcode-all.ts'

let surroundings: Surroundings
beforeAll(async () => {
  surroundings = await createSurroundings()
})
afterAll(() => surroundings.close())

async function mp3From(recording: Recording, segments: number, encode?: EncodeOptions): Promise<Buffer> {
  const key = await storeInSegments(surroundings, recording, segments, encode)
  await transcodeAll(surroundings, key)
  return await surroundings.mp3Of(key)
}

describe('the length is exact to the sample', () => {
  // 49 frames are the shortest segment; the encoder's delay moves the frames' ends by 576 samples.
  const two = 2 * 49 * 1152
  const nearby = [-1153, -1152, -577, -576, -575, -1, 0, 1, 575, 576, 577, 1151, 1152, 1153]
  test.each(nearby.map((offset) => [two + offset]))('%d samples in two segments', async (samples) => {
    const spec = { samples, channels: 1, material: noise(0.3) }
    const mp3 = await mp3From(spec, 2)
    expect(await mpg123SampleCount(mp3)).toBe(samples)
  })

  test.each([
    ['three segments, CBR', { samples: 3 * 49 * 1152 + 1 }, 3, { bitrate: 128 }, 3 * 49 * 1152 + 1],
    ['8 kHz', { samples: 3 * 49 * 576 - 1, sampleRate: 8000, channels: 1 }, 3, {}, 3 * 49 * 576 - 1],
    [
      '96 kHz to 48 kHz',
      { samples: 4 * 49 * 1152 + 1, sampleRate: 96_000, channels: 1 },
      2,
      {},
      2 * 49 * 1152 + 1,
    ],
    ['48 kHz to 44.1 kHz', { samples: 200_001, sampleRate: 48_000 }, 3, { sampleRate: 44_100 }, 183_751],
    ['six channels of 32 kHz', { samples: 150_000, sampleRate: 32_000, channels: 6 }, 2, {}, 150_000],
  ] as const)('%s', async (_, spec, segments, encode, expected) => {
    const mp3 = await mp3From(spec, segments, encode)
    expect(await mpg123SampleCount(mp3)).toBe(expected)
    expect(await ffmpegSampleCount(mp3)).toBe(expected)
  })
})

test('progress is the share of the segments that are done', async () => {
  const recording = { samples: 4 * 60 * 1152, channels: 1 }
  const key = await storeInSegments(surroundings, recording, 4)
  const seen: number[] = []
  for (const seq of [2, 0, 3, 1]) {
    const job = { recordKey: key.toString(), seq }
    await transcodeSegment(surroundings.tools, job, new AbortController().signal)
    const { progress, segmentsDone } = await surroundings.stateOf(key)
    expect(segmentsDone).toBe(seen.push(progress))
  }
  expect(seen).toEqual([0.25, 0.5, 0.75, 1])
})

describe.each([
  ['VBR', {}, { BitRate_Mode: 'VBR' }],
  ['CBR', { bitrate: 96 }, { BitRate_Mode: 'CBR', BitRate: '96000' }],
] as const)('to other judges, with %s,', (_, encode, expected) => {
  const spec = { samples: 30 * 44_100, channels: 1, material: noise(0.3) }
  let mp3: Buffer
  beforeAll(async () => {
    mp3 = await mp3From(spec, 5, encode)
  })

  test('it is sound, of the right kind, and as long as it should be', async () => {
    expect(await mp3valProblems(mp3)).toEqual([])
    const info = await mediainfo(mp3)
    expect(info).toMatchObject(expected)
    const { format } = await ffprobe(mp3)
    for (const duration of [Number(info.Duration), Number(format.duration)]) {
      expect(duration).toBeGreaterThanOrEqual(29.999) // mediainfo gives milliseconds
      expect(duration).toBeLessThanOrEqual(30 + (3 * 1152) / 44_100)
    }
  })

  test('a seek into the middle lands within a frame', async () => {
    const heard = (await decodeByFfmpeg(mp3, { fromSeconds: 15 })).subarray(4000, 6000)
    const likenessAt = (lag: number) =>
      heard.reduce(
        (sum, value, at) => sum + value * spec.material(15 * 44_100 + 4000 + lag + at, 0, 44_100),
        0,
      )
    const lags = Array.from({ length: 2 * 1152 + 1 }, (_, at) => at - 1152)
    const power = heard.reduce((sum, value) => sum + value ** 2, 0)
    expect(Math.max(...lags.map(likenessAt))).toBeGreaterThan(0.5 * power)
  })
})
