/** The options of an upload: which are taken, which are refused, and that the encoder really gives every bitrate that is allowed. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { missing } from '../../test/support/requirement.ts'
import {
  bitratesOfRate,
  checkBitrate,
  OptionError,
  parseEncodeOptions,
  rateControlOf,
  storedEncodeOptions,
} from '../src/encode-options.ts'
import { MP3_RATES } from '../src/mp3-format.ts'
import { readFrameHeader } from '../src/mp3-frames.ts'
import { sourceOf } from './support/pcm-source.ts'

const parse = (fields: Readonly<Record<string, string>>) =>
  parseEncodeOptions(new Map(Object.entries(fields)))

function refusalOf(check: () => unknown): OptionError {
  try {
    check()
  } catch (error) {
    if (error instanceof OptionError) return error
  }
  throw new Error('It was taken')
}

test.each([
  [{}, {}],
  [{ title: 'Something else' }, {}],
  [{ quality: '0' }, { quality: 0 }],
  [
    { quality: ' 9 ', channels: '1' },
    { quality: 9, channels: 1 },
  ],
  [
    { bitrate: '320', channels: '2', sampleRate: '44100' },
    { bitrate: 320, channels: 2, sampleRate: 44_100 },
  ],
])('%j is understood', (fields, options) => {
  expect(parse(fields)).toEqual(options)
})

test.each([
  ['quality', '10'],
  ['quality', '-1'],
  ['quality', '2.5'],
  ['quality', ''],
  ['quality', '02'],
  ['bitrate', '100'],
  ['bitrate', '128k'],
  ['bitrate', '0'],
  ['channels', '3'],
  ['channels', 'mono'],
  ['sampleRate', '96000'],
  ['sampleRate', '44.1'],
])('%s "%s" is refused, and the answer names the field and what it may be', (field, value) => {
  const refusal = refusalOf(() => parse({ [field]: value }))
  expect(refusal.field).toBe(field)
  expect(refusal.message).toContain(`"${field}" must be one of `)
  expect(refusal.allowed.length).toBeGreaterThan(1)
  for (const allowed of refusal.allowed) {
    expect(refusal.message).toContain(allowed)
    expect(parse({ [field]: allowed })).toEqual({ [field]: Number(allowed) })
  }
})

test('quality and bitrate exclude each other', () => {
  expect(refusalOf(() => parse({ quality: '2', bitrate: '128' }))).toMatchObject({
    field: 'bitrate',
    message: expect.stringContaining('quality'),
  })
})

test('a refusal repeats no more than a little of what was sent', () => {
  expect(refusalOf(() => parse({ quality: 'x'.repeat(10_000) })).message.length).toBeLessThan(200)
})

describe('a bitrate that the rate of the MP3 does not know is refused', () => {
  test.each([
    [44_100, {}, 24],
    [48_000, {}, 144],
    [22_050, {}, 192],
    [8000, {}, 128],
    [11_025, {}, 80],
    [44_100, { sampleRate: 22_050 }, 320],
    [96_000, { sampleRate: 8000 }, 160],
  ])('%d Hz with %j: %d kbit/s', (rate, asked, bitrate) => {
    const refusal = refusalOf(() => checkBitrate({ ...asked, bitrate }, sourceOf(rate)))
    expect(refusal.field).toBe('bitrate')
    for (const allowed of refusal.allowed)
      checkBitrate({ ...asked, bitrate: Number(allowed) }, sourceOf(rate))
  })

  test('and no other', () => {
    checkBitrate({}, sourceOf(8000))
    checkBitrate({ quality: 0 }, sourceOf(8000))
    checkBitrate({ bitrate: 320, sampleRate: 48_000 }, sourceOf(8000))
    checkBitrate({ bitrate: 320 }, sourceOf(192_000))
  })
})

test.skipIf(missing('ffmpeg')).each(MP3_RATES)(
  'at %d Hz the encoder gives every allowed bitrate as it is, and none above',
  async (rate) => {
    const highest = bitratesOfRate(rate).at(-1) ?? 0
    expect(await encodedBitrates(rate, bitratesOfRate(rate))).toEqual(bitratesOfRate(rate))
    expect(await encodedBitrates(rate, [highest + 8])).toEqual([highest])
  },
)

/** What the first frame of an MP3 says that was asked to have this bitrate. */
function encodedBitrates(rate: number, bitrates: readonly number[]): Promise<(number | undefined)[]> {
  const raw = ['-write_xing', '0', '-id3v2_version', '0', '-f', 'mp3', 'pipe:1']
  const silence = ['-v', 'error', '-f', 'lavfi', '-i', `anullsrc=r=${rate}:d=0.1`]
  return Promise.all(
    bitrates.map(async (bitrate) => {
      const args = [...silence, '-b:a', `${bitrate}k`, ...raw]
      const { stdout } = await promisify(execFile)('ffmpeg', args, { encoding: 'buffer' })
      return readFrameHeader(stdout)?.bitrateKbps
    }),
  )
}

test('without options it is VBR of quality 2', () => {
  expect(rateControlOf({})).toEqual({ kind: 'vbr', quality: 2 })
  expect(rateControlOf({ quality: 0 })).toEqual({ kind: 'vbr', quality: 0 })
  expect(rateControlOf({ bitrate: 64 })).toEqual({ kind: 'cbr', bitrateKbps: 64 })
})

test('what is stored is read back, whatever stands beside it', () => {
  const encode = { bitrate: 128, channels: 1, sampleRate: 48_000 }
  expect(storedEncodeOptions(JSON.parse(JSON.stringify({ encode, tags: { title: 'x' } })))).toEqual(encode)
  for (const none of [{}, null, undefined, { encode: {} }, { tags: {} }]) {
    expect(storedEncodeOptions(none)).toEqual({})
  }
})

test.each([{ encode: { quality: 77 } }, { encode: 'high' }, { encode: { channels: [1, 2] } }])(
  '%j was never stored by this version, and is an error',
  (options) => {
    expect(() => storedEncodeOptions(options)).toThrow(OptionError)
  },
)
