/** WAVs that other programs wrote, and every kind that we build: the header must lead to the very samples. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeByFfmpeg, signalToNoise } from '../../test/support/judges.ts'
import { noise } from '../../test/support/material.ts'
import { missing } from '../../test/support/requirement.ts'
import { buildWav, type WavSpec } from '../../test/support/wav.ts'
import type { WavEncoding } from '../../test/support/wav-samples.ts'
import { measureWav } from '../src/measure-wav.ts'
import { readHeader } from './support/read-header.ts'

const run = promisify(execFile)
const SAMPLES = 3001
const material = noise()
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wavemill-zoo-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The samples that our header leads to, decoded by ffmpeg as the raw format that it names. */
async function decodeByHeader(file: Buffer): Promise<Float32Array> {
  const header = readHeader(file, 1000)
  const { encoding, sampleRate, channels, dataStart } = header.source
  const { dataBytes } = measureWav(header, file.length)
  const raw = join(folder, 'raw')
  await writeFile(raw, file.subarray(dataStart, dataStart + dataBytes))
  const input = ['-f', encoding, '-ar', `${sampleRate}`, '-ac', `${channels}`, '-i', raw]
  const { stdout } = await run('ffmpeg', ['-v', 'error', ...input, '-f', 'f32le', 'pipe:1'], {
    encoding: 'buffer',
    maxBuffer: 2 ** 28,
  })
  return Float32Array.from({ length: stdout.length / 4 }, (_, index) => stdout.readFloatLE(4 * index))
}

function sourceOf(channels: number): Float32Array {
  return Float32Array.from({ length: SAMPLES * channels }, (_, at) =>
    material(Math.floor(at / channels), at % channels, 44_100),
  )
}

// The noise of rounding to so many bits lies about 6 dB a bit below; companding gives about 38 dB.
const leastRatios: readonly (readonly [WavEncoding, number, WavSpec])[] = [
  ['u8', 40, {}],
  ['s16', 88, {}],
  ['s16', 64, { extensible: true, validBits: 12 }],
  ['s24', 112, { extensible: true, validBits: 20 }],
  ['s24', 130, {}],
  ['s32', 130, { extensible: true, validBits: 24 }],
  ['s32', 140, {}],
  ['f32', 140, {}],
  ['f64', 140, {}],
  ['alaw', 37, {}],
  ['mulaw', 37, {}],
]

describe.skipIf(missing('ffmpeg'))('what we build', () => {
  for (const container of ['RIFF', 'RIFX', 'RF64'] as const) {
    test.each(leastRatios)(
      `in ${container} of %s samples is heard with %d dB: %j`,
      async (encoding, least, spec) => {
        const between = [{ id: 'LIST', data: Buffer.from('INFOodd'), padded: false }]
        const file = buildWav({
          ...spec,
          encoding,
          container,
          between,
          samples: SAMPLES,
          channels: 3,
          material,
        })
        expect(signalToNoise(sourceOf(3), await decodeByHeader(file))).toBeGreaterThan(least)
      },
    )
  }
})

const soxKinds = [
  '-b 8 -e unsigned-integer',
  '-b 16',
  '-b 24',
  '-b 32',
  '-b 32 -e floating-point',
  '-b 64 -e floating-point',
  '-e a-law',
  '-e mu-law',
  '-B -b 16',
  '-B -b 24',
  '-B -b 32 -e floating-point',
]

describe.skipIf(missing('sox'))('what sox writes', () => {
  test.each(soxKinds)('with %s', async (options) => {
    const path = join(folder, 'sox.wav')
    const plain = join(folder, 'plain.wav')
    await writeFile(plain, buildWav({ samples: SAMPLES, material }))
    await run('sox', ['-D', plain, ...options.split(' '), path])
    // sox itself says what it wrote: ffmpeg would take RIFX for RIFF.
    const heard = join(folder, 'heard.wav')
    await run('sox', ['-D', path, '-e', 'floating-point', '-b', '32', heard])
    const file = await readFile(path)
    expect(measureWav(readHeader(file), file.length)).toMatchObject({ samples: SAMPLES, warnings: [] })
    expect(signalToNoise(await decodeByFfmpeg(heard), await decodeByHeader(file))).toBeGreaterThan(120)
  })

  test('into a pipe, where it cannot know the length', async () => {
    const plain = join(folder, 'plain.wav')
    await writeFile(plain, buildWav({ samples: SAMPLES, material }))
    const pipe = `sox -D "${plain}" -t raw - | sox -t raw -r 44100 -b 16 -e signed -c 2 - -t wav -`
    const { stdout } = await run('sh', ['-c', pipe], { encoding: 'buffer' })
    const { samples, warnings } = measureWav(readHeader(stdout), stdout.length)
    expect(samples).toBe(SAMPLES)
    expect(warnings).toEqual([expect.stringContaining('the file holds 0.1 s: the 0.1 s were converted')])
  })
})

const ffmpegKinds = [
  '-c:a pcm_u8',
  '-c:a pcm_s16le',
  '-c:a pcm_s24le',
  '-c:a pcm_s32le',
  '-c:a pcm_f32le',
  '-c:a pcm_f64le',
  '-c:a pcm_alaw',
  '-c:a pcm_mulaw',
  '-c:a pcm_s24le -rf64 always',
  '-c:a pcm_s16le -write_bext 1 -metadata description=test -write_peak on',
  '-c:a pcm_s16le -ac 6',
  '-c:a pcm_s24le -ar 96000',
]

describe.skipIf(missing('ffmpeg'))('what ffmpeg writes', () => {
  test.each(ffmpegKinds)('with %s', async (options) => {
    const path = join(folder, 'ffmpeg.wav')
    const plain = join(folder, 'plain.wav')
    await writeFile(plain, buildWav({ samples: SAMPLES, material }))
    await run('ffmpeg', ['-y', '-v', 'error', '-i', plain, ...options.split(' '), path])
    const file = await readFile(path)
    expect(measureWav(readHeader(file), file.length).warnings).toEqual([])
    expect(signalToNoise(await decodeByFfmpeg(path), await decodeByHeader(file))).toBe(
      Number.POSITIVE_INFINITY,
    )
  })

  test('into a pipe, where it cannot know the length', async () => {
    const plain = join(folder, 'plain.wav')
    await writeFile(plain, buildWav({ samples: SAMPLES, material }))
    const toPipe = ['-v', 'error', '-i', plain, '-f', 'wav', 'pipe:1']
    const { stdout } = await run('ffmpeg', toPipe, { encoding: 'buffer' })
    const header = readHeader(stdout)
    expect(header.declaredDataBytes).toBeUndefined()
    expect(measureWav(header, stdout.length).samples).toBe(SAMPLES)
  })

  test.each(['libmp3lame', 'ac3'])('with codec %s is refused by name', async (codec) => {
    const path = join(folder, 'codec.wav')
    const plain = join(folder, 'plain.wav')
    await writeFile(plain, buildWav({ samples: SAMPLES, channels: 1, sampleRate: 32_000, material }))
    await run('ffmpeg', ['-y', '-v', 'error', '-i', plain, '-c:a', codec, path])
    const file = await readFile(path)
    expect(() => readHeader(file)).toThrow(expect.objectContaining({ code: 'unsupported-codec' }))
  })
})
