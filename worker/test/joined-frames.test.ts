/**
 * The joined frames of several segments are those of one pass, byte for byte. JOIN_MATRIX=full runs every combination on
 * recordings of minutes, which takes long; otherwise each two of the values meet, on recordings of some hundred frames.
 */
import { bitratesOfRate, type EncodeOptions } from '@wavemill/core/encode-options'
import { createFrameSplitter } from '@wavemill/core/mp3-frames'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clicks, type Material, music, noise, speech } from '../../test/support/material.ts'
import { streamAudio, wavHead } from '../../test/support/wav.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'
import { encodeInOnePass, type Pcm } from './support/one-pass.ts'
import { transcodeAll } from './support/transcode-all.ts'

const isFull = process.env.JOIN_MATRIX === 'full'
const SEGMENTS = isFull ? 4 : 2
const SEGMENT_FRAMES = isFull ? 1000 : 300

let surroundings: Surroundings
beforeAll(async () => {
  surroundings = await createSurroundings()
})
afterAll(() => surroundings.close())

interface Sound {
  readonly name: string
  readonly material: Material
}
const sounds: readonly Sound[] = [
  { name: 'music', material: music() },
  { name: 'speech', material: speech() },
  { name: 'silence with clicks', material: clicks(30_011) },
  { name: 'noise', material: noise(0.3) },
]
const controls: readonly EncodeOptions[] = [
  ...[0, 2, 5, 9].map((quality) => ({ quality })),
  ...[64, 128, 320].map((bitrate) => ({ bitrate })),
]
const rates = [44_100, 48_000, 32_000, 22_050, 8000]

const made = new Map<string, Buffer>()

/** The samples of one sound are the same at every rate, so that they are made once. */
function pcmOf(
  { name, material }: Sound,
  sampleRate: number,
  channels: number,
  encoding: Pcm['encoding'] = 's16',
) {
  const samples = SEGMENTS * SEGMENT_FRAMES * (sampleRate >= 32_000 ? 1152 : 576) + 123
  const all = { channels, material, encoding, samples: SEGMENTS * SEGMENT_FRAMES * 1152 + 123 }
  const key = `${name} ${channels} ${encoding}`
  const bytes = made.get(key) ?? Buffer.concat([...streamAudio(all)])
  made.set(key, bytes)
  return {
    bytes: bytes.subarray(0, (bytes.length / all.samples) * samples),
    encoding,
    sampleRate,
    channels,
    samples,
  }
}

/** Encodes as our fleet does and in one pass, and tells the first frames in which they differ. */
async function differences(
  pcm: Pcm & { samples: number },
  encode: EncodeOptions,
  prepare?: (key: bigint) => Promise<void>,
): Promise<number[]> {
  const segmentSeconds = pcm.samples / pcm.sampleRate / SEGMENTS
  const key = await surroundings.storeRecording([wavHead(pcm), pcm.bytes], { segmentSeconds, encode })
  expect((await surroundings.stateOf(key)).segmentsTotal).toBe(SEGMENTS)
  await prepare?.(key)
  const mp3s = await Promise.all([transcodeAll(surroundings, key), encodeInOnePass(pcm, encode)])
  const [ours = [], theirs = []] = mp3s.map((mp3) => createFrameSplitter().push(mp3))
  expect(ours.length).toBe(theirs.length)
  const isOther = (frame: Uint8Array, index: number) => Buffer.compare(frame, ours[index] ?? frame) !== 0
  return theirs.flatMap((frame, index) => (isOther(frame, index) ? [index] : [])).slice(0, 20)
}

const matrix = controls.flatMap((control, row) =>
  rates.flatMap((rate, column) =>
    [1, 2].flatMap((channels) =>
      sounds.flatMap((sound, index) => {
        const isKnown = control.bitrate === undefined || bitratesOfRate(rate).includes(control.bitrate)
        const isChosen = channels === 1 + ((row + column) % 2) && index === (row + 2 * column) % sounds.length
        const name = `${sound.name}, ${rate} Hz, ${channels} channels, ${JSON.stringify(control)}`
        return isKnown && (isFull || isChosen) ? [[name, { control, rate, channels, sound }] as const] : []
      }),
    ),
  ),
)

test.each(matrix)('%s', async (_, { control, rate, channels, sound }) => {
  expect(await differences(pcmOf(sound, rate, channels), control)).toEqual([])
})

describe('what would take the encoder longest to forget', () => {
  const burst = noise(0.99)
  const BURST_SAMPLES = 48 * 1152
  const after =
    (material: Material): Material =>
    (index, channel, rate) =>
      (index < BURST_SAMPLES ? burst : material)(index, channel, rate)
  const hard: readonly Sound[] = [
    ...[2, 3, 4].map((every) => ({
      name: `a burst, then a click every ${every} frames`,
      material: after((index) => (index % (every * 1152) === 100 ? 0.5 : 0)),
    })),
    { name: 'a burst, then noise at -60 dB', material: after(noise(0.001)) },
  ]
  test.each(
    hard.flatMap((sound) =>
      [{ quality: 2 }, { bitrate: 128 }].map((control) => [sound.name, control, sound] as const),
    ),
  )('%s, %j', async (_, control, sound) => {
    expect(await differences(pcmOf(sound, 44_100, 1), control)).toEqual([])
  })

  test('half of the warm-up would not be enough', async () => {
    const { segment } = surroundings.db.prisma
    const halve = async (key: bigint) => {
      await segment.update({
        where: { recordKey_seq: { recordKey: key, seq: 1 } },
        data: { warmUpFrames: { decrement: 98 }, startByte: { increment: 98 * 1152 * 2 } },
      })
    }
    const [pulses] = hard
    expect(pulses && (await differences(pcmOf(pulses, 44_100, 1), { quality: 2 }, halve))).not.toEqual([])
  })
})

describe('a rate that is converted inside the encoder', () => {
  // With the frames after which both rates are at a whole sample: a segment is a little longer than twice as many.
  const conversions = [
    [96_000, 48_000, 147],
    [88_200, 44_100, 147],
    [192_000, 48_000, 147],
    [37_800, 44_100, 147],
    [48_000, 44_100, 147],
    [48_000, 22_050, 147],
    [44_100, 48_000, 245],
    [22_050, 8000, 245],
    [11_025, 16_000, 490],
  ] as const
  test.each(conversions)('%d Hz to %d Hz', async (from, sampleRate, step) => {
    const frameSamples = ((sampleRate >= 32_000 ? 1152 : 576) * from) / sampleRate
    const samples = Math.ceil(SEGMENTS * 2.05 * step * frameSamples)
    const spec = { channels: 1, samples, sampleRate: from, material: noise(0.3), loopSamples: 50_021 }
    const bytes = Buffer.concat([...streamAudio(spec)])
    expect(await differences({ ...spec, bytes, encoding: 's16' }, { sampleRate })).toEqual([])
  })
})

describe('what is not just two channels of 16 bits', () => {
  const hiss = { name: 'hiss', material: noise(0.2) }
  test.each([
    ['24 bits', 2, 's24', {}],
    ['floats', 1, 'f32', {}],
    ['two channels to one', 2, 's16', { channels: 1 }],
    ['six channels to two', 6, 's16', {}],
    ['six channels to one', 6, 's16', { channels: 1, bitrate: 64 }],
  ] as const)('%s', async (_, channels, encoding, encode) => {
    expect(await differences(pcmOf(hiss, 32_000, channels, encoding), encode)).toEqual([])
  })
})
