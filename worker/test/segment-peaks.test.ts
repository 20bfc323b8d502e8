/** The waveform that a recording's segments make together: that of the whole, however it is divided. */
import { readPeaks } from '@wavemill/prisma/peaks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noise, sweep } from '../../test/support/material.ts'
import { missing } from '../../test/support/requirement.ts'
import { buildWav, type WavSpec } from '../../test/support/wav.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'
import { storeInSegments, transcodeAll } from './support/transcode-all.ts'

let surroundings: Surroundings
beforeAll(async () => {
  surroundings = await createSurroundings()
})
afterAll(() => surroundings.close())

const HEAD_BYTES = 44

/** From 16-bit samples behind the shortest header: at most 4,000 pixels of the same length. */
function peaksOfWhole(wav: Buffer, channels: number): number[] {
  const values = Array.from({ length: (wav.length - HEAD_BYTES) / 2 }, (_, at) =>
    wav.readInt8(HEAD_BYTES + 2 * at + 1),
  )
  const perPixel = Math.ceil(values.length / channels / 4_000) * channels
  const pixels = Array.from({ length: Math.ceil(values.length / perPixel) }, (_, pixel) =>
    values.slice(pixel * perPixel, (pixel + 1) * perPixel),
  )
  return pixels.flatMap((pixel) => [Math.min(...pixel), Math.max(...pixel)])
}

test.skipIf(missing('ffmpeg')).each<[string, WavSpec & { samples: number }, number]>([
  ['one segment', { samples: 300_001, material: sweep() }, 1],
  ['one sample', { samples: 1, material: noise(0.5) }, 1],
  ['three segments', { samples: 3 * 60 * 1152 + 7, material: noise(0.5) }, 3],
  ['a converted rate', { samples: 4 * 49 * 1152 + 1, sampleRate: 96_000, channels: 1, material: sweep() }, 2],
])('of %s it is what the samples say', async (_name, spec, segments) => {
  const key = await storeInSegments(surroundings, spec, segments)
  await transcodeAll(surroundings, key)
  const peaks = await readPeaks(surroundings.db, key)
  expect([...new Int8Array(peaks ?? [])]).toEqual(peaksOfWhole(buildWav(spec), spec.channels ?? 2))
})
