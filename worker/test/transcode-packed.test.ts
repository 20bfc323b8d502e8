/** WAVs of packed codecs: exact to the sample, in tune with their source, and harmless where they are damaged. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { EncodeOptions } from '@wavemill/core/encode-options'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  decodeByMpg123,
  mp3valProblems,
  mpg123SampleCount,
  signalToNoise,
} from '../../test/support/judges.ts'
import { tones } from '../../test/support/material.ts'
import { missing } from '../../test/support/requirement.ts'
import { buildWav } from '../../test/support/wav.ts'
import { transcodeSegment } from '../src/transcode-segment.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'

const run = promisify(execFile)

let surroundings: Surroundings
let folder: string
beforeAll(async () => {
  surroundings = await createSurroundings()
  folder = await mkdtemp(join(tmpdir(), 'wavemill-packed-'))
})
afterAll(async () => {
  await surroundings.close()
  await rm(folder, { recursive: true, force: true })
})

const material = tones(0.4)
const samples = 30_007

/** Two different tones, packed by another program. */
async function packed(
  tool: 'sox' | 'ffmpeg',
  codec: string,
  sampleRate: number,
  channels: number,
): Promise<Buffer> {
  const [from, to] = [join(folder, 'from.wav'), join(folder, 'to.wav')]
  await writeFile(from, buildWav({ samples, sampleRate, channels, material }))
  if (tool === 'sox') await run('sox', [from, '-e', codec, to])
  else await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', '-i', from, '-c:a', codec, to])
  return await readFile(to)
}

async function transcode(wav: Buffer, encode: EncodeOptions = {}): Promise<bigint> {
  const key = await surroundings.storeRecording([wav], { encode, segmentSeconds: 1 })
  const job = { recordKey: key.toString(), seq: 0 }
  expect(await transcodeSegment(surroundings.tools, job, new AbortController().signal)).toBeUndefined()
  return key
}

async function mp3From(wav: Buffer, encode?: EncodeOptions): Promise<Buffer> {
  const key = await transcode(wav, encode)
  expect(await surroundings.stateOf(key)).toMatchObject({ status: 'ready', segmentsTotal: 1 })
  return await surroundings.mp3Of(key)
}

describe.skipIf(['sox', 'ffmpeg', 'mpg123'].some(missing))('a packed recording', () => {
  test.each([
    ['sox', 'ms-adpcm', 44_100, 2, 0, 20],
    ['sox', 'ima-adpcm', 44_100, 2, 0, 20],
    ['sox', 'ima-adpcm', 8000, 1, 0, 20],
    ['sox', 'gsm-full-rate', 8000, 1, 0, 5],
    ['ffmpeg', 'adpcm_yamaha', 22_050, 2, 1023, 20],
    ['ffmpeg', 'g722', 16_000, 1, 1, 15],
    ['ffmpeg', 'g726', 8000, 1, 1, 10],
  ] as const)(
    'of %s’s %s, %d Hz, %d channels, has its length and sounds like its source',
    async (tool, codec, rate, channels, filling, leastDb) => {
      const mp3 = await mp3From(await packed(tool, codec, rate, channels))
      const heard = await decodeByMpg123(mp3)
      const source = Float32Array.from({ length: samples * channels }, (_, at) =>
        material(Math.floor(at / channels), at % channels, rate),
      )
      expect(heard.length - source.length).toBeLessThanOrEqual(filling * channels)
      const delay = codec === 'g722' ? 22 : 0 // of its filters, which no decoder takes away
      const compared = source.slice(0, -100)
      expect(signalToNoise(compared, heard.slice(delay, delay + compared.length))).toBeGreaterThan(leastDb)
      expect(await mp3valProblems(mp3)).toEqual([])
    },
  )

  test('can be resampled and mixed down, as exactly', async () => {
    const wav = await packed('sox', 'ima-adpcm', 22_050, 2)
    const mp3 = await mp3From(wav, { sampleRate: 44_100, channels: 1, bitrate: 128 })
    expect(await mpg123SampleCount(mp3)).toBe(2 * samples)
  })

  test('of blocks that cannot be opened fails for good, and says so', async () => {
    const wav = await packed('sox', 'ima-adpcm', 8000, 1)
    const start = wav.indexOf('data') + 8
    const allBroken = Buffer.from(wav).fill(0xff, start)
    const someBroken = Buffer.from(wav)
    for (let block = 10; block < 30; block += 1)
      someBroken.fill(0xff, start + 256 * block, start + 256 * block + 4)
    for (const broken of [allBroken, someBroken]) {
      const state = await surroundings.stateOf(await transcode(broken))
      expect(state).toMatchObject({ status: 'failed', failureCode: 'undecodable' })
    }
  })

  test('whose content pretends to be something else is only ever taken for blocks', async () => {
    const wav = await packed('sox', 'ima-adpcm', 8000, 1)
    const start = wav.indexOf('data') + 8
    wav.write('#EXTM3U\nfile:///etc/passwd\n', start + 4)
    expect(await mpg123SampleCount(await mp3From(wav))).toBe(samples)
  })
})
