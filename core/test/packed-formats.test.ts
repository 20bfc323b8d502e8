/** Packed codecs: what ffmpeg and sox write is measured as long as ffmpeg decodes it, or as its source was. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing } from '../../test/support/requirement.ts'
import { buildWav } from '../../test/support/wav.ts'
import { measureWav } from '../src/measure-wav.ts'
import { headForPacked } from '../src/packed-formats.ts'
import { isPacked } from '../src/pcm-source.ts'
import { planRecording } from '../src/segment-plan.ts'
import type { WavHeader } from '../src/wav-header.ts'
import { readHeader, refusalOf } from './support/read-header.ts'

const run = promisify(execFile)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wavemill-packed-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const quiet = ['-hide_banner', '-nostdin', '-v', 'error', '-y']

async function sourceWav(samples: number, rate: number, channels: number): Promise<string> {
  const path = join(folder, `${samples}-${rate}-${channels}.wav`)
  const sine = `sine=frequency=440:sample_rate=${rate}:duration=10,atrim=end_sample=${samples}`
  await run('ffmpeg', [...quiet, '-f', 'lavfi', '-i', sine, '-ac', String(channels), path])
  return path
}

async function byFfmpeg(codec: string, samples: number, rate: number, channels: number): Promise<Buffer> {
  const path = join(folder, `${codec}-${samples}-${channels}.wav`)
  const source = await sourceWav(samples, rate, channels)
  await run('ffmpeg', [...quiet, '-i', source, '-c:a', codec, path])
  return await readFile(path)
}

async function bySox(encoding: string, samples: number, rate: number, channels: number): Promise<Buffer> {
  const path = join(folder, `sox-${encoding}-${samples}-${channels}.wav`)
  await run('sox', [await sourceWav(samples, rate, channels), '-e', encoding, path])
  return await readFile(path)
}

/** What ffmpeg decodes of a file as it is. */
async function decodedSamples(wav: Buffer, channels: number): Promise<number> {
  const decoding = execFile('ffmpeg', ['-v', 'error', '-f', 'wav', '-i', 'pipe:0', '-f', 's16le', 'pipe:1'], {
    ...{ encoding: 'buffer', maxBuffer: 64 * 1_048_576 },
  })
  decoding.stdin?.end(wav)
  let bytes = 0
  decoding.stdout?.on('data', (piece: Buffer) => {
    bytes += piece.length
  })
  await new Promise((resolve) => decoding.once('close', resolve))
  return bytes / 2 / channels
}

function measured(wav: Buffer) {
  const header = readHeader(wav)
  return { header, ...measureWav(header, wav.length) }
}

/** As a segment hands it to ffmpeg: behind the head that we make. */
function handedOver(wav: Buffer, { source }: WavHeader, dataBytes: number): Buffer {
  if (!isPacked(source)) throw new Error('It is not packed')
  return Buffer.concat([headForPacked(source), wav.subarray(source.dataStart, source.dataStart + dataBytes)])
}

describe.skipIf(missing('ffmpeg'))('of what ffmpeg writes', () => {
  test.each([
    ['adpcm_ms', 44_100, 2, 'Microsoft ADPCM'],
    ['adpcm_ms', 8000, 1, 'Microsoft ADPCM'],
    ['adpcm_ima_wav', 44_100, 2, 'IMA ADPCM'],
    ['adpcm_ima_wav', 11_025, 1, 'IMA ADPCM'],
    ['adpcm_yamaha', 22_050, 2, 'Yamaha ADPCM'],
    ['adpcm_yamaha', 22_050, 1, 'Yamaha ADPCM'],
    ['g726', 8000, 1, 'G.726 ADPCM'],
    ['g722', 16_000, 1, 'G.722 ADPCM'],
  ])(
    '%s at %d Hz of %d channels every sample is known before it is decoded',
    async (codec, rate, channels, name) => {
      for (const samples of [1, 1000, 30_001]) {
        const wav = await byFfmpeg(codec, samples, rate, channels)
        const { header, samples: known, dataBytes, warnings } = measured(wav)
        expect(header).toMatchObject({ codec: name, source: { sampleRate: rate, channels } })
        // ffmpeg fills the last block up, and counts that; G.722 and G.726 it ends within a byte.
        const decoded = await decodedSamples(wav, channels)
        expect(decoded - known).toBeGreaterThanOrEqual(0)
        expect(decoded - known).toBeLessThanOrEqual(codec.startsWith('g7') ? 1 : 0)
        expect(await decodedSamples(handedOver(wav, header, dataBytes), channels)).toBe(decoded)
        expect(warnings).toEqual([])
      }
    },
  )
})

describe.skipIf(missing('sox'))('of what sox writes', () => {
  test.each([
    ['ms-adpcm', 44_100, 2],
    ['ima-adpcm', 44_100, 2],
    ['ima-adpcm', 8000, 1],
    ['gsm-full-rate', 8000, 1],
  ])(
    '%s at %d Hz of %d channels the filling of the last block is left out',
    async (encoding, rate, channels) => {
      for (const samples of [500, 30_001]) {
        const wav = await bySox(encoding, samples, rate, channels)
        const { header, samples: known, dataBytes, warnings } = measured(wav)
        expect(known).toBe(samples)
        expect(await decodedSamples(handedOver(wav, header, dataBytes), channels)).toBeGreaterThanOrEqual(
          samples,
        )
        expect(warnings).toEqual([])
        expect(planRecording(header.source, known, { segmentSeconds: 1 }).segments).toMatchObject([
          { startByte: header.source.dataStart, endByte: header.source.dataStart + dataBytes },
        ])
      }
    },
  )

  test('a file that was cut ends with its last whole block, and says so', async () => {
    const wav = await bySox('ima-adpcm', 30_001, 8000, 1)
    const { samples, warnings } = measured(wav.subarray(0, -700))
    const whole = Math.floor((wav.length - wav.indexOf('data') - 8 - 700) / 256)
    expect(samples).toBe(whole * 505)
    expect(warnings.join()).toMatch(/promises .* holds/)
  })
})

test.each<[string, Parameters<typeof buildWav>[0], string, RegExp]>([
  [
    'three channels',
    { channels: 3, format: { tag: 0x0011, blockAlign: 120, bitsPerSample: 4 } },
    'unsupported-codec',
    /IMA ADPCM audio of 3 channels/,
  ],
  [
    'three bits',
    { format: { tag: 0x0011, blockAlign: 1024, bitsPerSample: 3 } },
    'unsupported-codec',
    /3 bits/,
  ],
  [
    'a block of 0 bytes',
    { format: { tag: 0x0011, blockAlign: 0, bitsPerSample: 4 } },
    'malformed',
    /block of 0 bytes/,
  ],
  [
    'a block of its heads alone',
    { format: { tag: 0x0002, blockAlign: 13, bitsPerSample: 4 } },
    'malformed',
    /block of 13 bytes/,
  ],
  [
    'a block of another GSM',
    { channels: 1, format: { tag: 0x0031, blockAlign: 33, bitsPerSample: 0 } },
    'malformed',
    /block of 33 bytes/,
  ],
  [
    'no channels',
    { format: { tag: 0x0020, channels: 0, blockAlign: 4, bitsPerSample: 4 } },
    'malformed',
    /0 channels/,
  ],
  [
    'no rate',
    { format: { tag: 0x0020, sampleRate: 0, blockAlign: 4, bitsPerSample: 4 } },
    'malformed',
    /rate is 0/,
  ],
  [
    'big-endian numbers',
    { container: 'RIFX', format: { tag: 0x0011, blockAlign: 1024, bitsPerSample: 4 } },
    'unsupported-codec',
    /IMA ADPCM/,
  ],
])('%s is refused', (_what, spec, code, message) => {
  const refusal = refusalOf(buildWav(spec))
  expect(refusal).toMatchObject({ code })
  expect(refusal).toHaveProperty('message', expect.stringMatching(message))
})

test('a fact that lies outside the last block is not believed', () => {
  const format = { tag: 0x0011, blockAlign: 1024, bitsPerSample: 4 }
  const fact = (samples: number) => {
    const data = Buffer.alloc(4)
    data.writeUInt32LE(samples)
    return measured(buildWav({ format, samples: 2560, between: [{ id: 'fact', data }] })).samples
  }
  // 2560 samples of four bytes are ten blocks of 1017 samples.
  expect(fact(10_169)).toBe(10_169)
  expect(fact(9154)).toBe(9154)
  for (const lie of [0, 9153, 10_171, 0xffff_ffff]) expect(fact(lie)).toBe(10_170)
})
