/** The header reader on hostile bytes: it gives a header or a WavError, whatever it is fed, and however it is cut. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildWav, type WavSpec } from '../../test/support/wav.ts'
import { measureWav } from '../src/measure-wav.ts'
import { isPacked } from '../src/pcm-source.ts'
import { planRecording } from '../src/segment-plan.ts'
import { WavError } from '../src/wav-error.ts'
import { createWavHeaderReader, type WavHeader } from '../src/wav-header.ts'

type Outcome = { readonly header: WavHeader } | { readonly code: string; readonly message: string }

/** @param pieces sizes of the pieces, used over and over. */
function outcomeOf(file: Uint8Array, pieces: readonly number[]): Outcome {
  try {
    const reader = createWavHeaderReader()
    for (let start = 0, turn = 0; start < file.length; turn += 1) {
      const end = start + (pieces[turn % pieces.length] ?? file.length)
      reader.push(file.subarray(start, end))
      start = end
    }
    return { header: reader.end() }
  } catch (error) {
    if (!(error instanceof WavError)) throw error
    return { code: error.code, message: error.message }
  }
}

/** What a header promises must be safe to act on. */
function expectSound(file: Uint8Array, outcome: Outcome): void {
  if ('code' in outcome) {
    expect(outcome.message).toMatch(/^[\x20-\x7e]+\.$/)
    return
  }
  const { source } = outcome.header
  if (isPacked(source)) expect(source.samplesPerBlock).toBeGreaterThan(1)
  else expect(source.blockAlign).toBe(source.channels * source.bytesPerSample)
  expect(source.dataStart).toBeLessThanOrEqual(file.length)
  try {
    const { samples, dataBytes } = measureWav(outcome.header, file.length)
    expect(source.dataStart + dataBytes).toBeLessThanOrEqual(file.length)
    expect(planRecording(source, samples, { segmentSeconds: 300 }).totalFrames).toBeGreaterThan(0)
  } catch (error) {
    expect(error).toMatchObject({ code: 'no-audio' })
  }
}

const specs: readonly WavSpec[] = [
  {},
  { container: 'RIFX', encoding: 's24', extensible: true },
  { container: 'RF64', encoding: 'f32', between: [{ id: 'fact', data: Buffer.alloc(4) }] },
  { encoding: 'alaw', channels: 1, before: [{ id: 'JUNK', data: Buffer.alloc(29), padded: false }] },
  { extensible: true, channels: 6, channelMask: 0x3f, after: [{ id: 'LIST', data: Buffer.from('INFO') }] },
  { declared: { riffBytes: 0, dataBytes: 0 } },
  {
    format: { tag: 0x0011, blockAlign: 16, bitsPerSample: 4 },
    between: [{ id: 'fact', data: Buffer.from([35, 0, 0, 0]) }],
  },
]
const realFiles = specs.map((spec) => buildWav({ samples: 20, ...spec }))

const hostileNumbers = [0, 1, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff]
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('byte' as const), at: fc.nat(140), value: fc.nat(255) }),
  fc.record({
    kind: fc.constant('number' as const),
    at: fc.nat(140),
    value: fc.constantFrom(...hostileNumbers),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(140), value: fc.constant(0) }),
  fc.record({
    kind: fc.constant('doubled' as const),
    at: fc.nat(140),
    value: fc.integer({ min: 1, max: 40 }),
  }),
)

function mutate(file: Buffer, { kind, at, value }: { kind: string; at: number; value: number }): Buffer {
  const bytes = Buffer.from(file)
  if (kind === 'cut') return bytes.subarray(0, at)
  if (kind === 'doubled') return Buffer.concat([bytes.subarray(0, at + value), bytes.subarray(at)])
  if (kind === 'number' && at + 4 <= bytes.length) bytes.writeUInt32LE(value, at)
  if (kind === 'byte' && at < bytes.length) bytes.writeUInt8(value, at)
  return bytes
}

const mutatedFile = fc
  .tuple(fc.constantFrom(...realFiles), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([file, mutations]) => mutations.reduce(mutate, file))
const riffOfRandom = fc
  .uint8Array({ maxLength: 300 })
  .map((bytes) => Buffer.concat([Buffer.from('RIFF\xff\xff\xff\x7fWAVE', 'latin1'), bytes]))
const pieceSizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 })

test('20,000 mutated headers give a sound header or a sentence', () => {
  const property = fc.property(mutatedFile, (file) => expectSound(file, outcomeOf(file, [file.length])))
  fc.assert(property, { numRuns: 20_000 })
})

test('20,000 random files, half of them behind RIFF....WAVE, give a sentence', () => {
  const anyFile = fc.oneof(fc.uint8Array({ maxLength: 300 }), riffOfRandom)
  const property = fc.property(anyFile, (file) => expectSound(file, outcomeOf(file, [file.length])))
  fc.assert(property, { numRuns: 20_000 })
})

test('a file gives the same in whatever pieces it comes', () => {
  const property = fc.property(fc.oneof(mutatedFile, riffOfRandom), pieceSizes, (file, pieces) => {
    expect(outcomeOf(file, pieces)).toEqual(outcomeOf(file, [file.length]))
  })
  fc.assert(property, { numRuns: 10_000 })
})

test('the reader keeps nothing of a caller who uses one buffer again and again', () => {
  const property = fc.property(fc.constantFrom(...realFiles), pieceSizes, (file, pieces) => {
    const reader = createWavHeaderReader()
    const buffer = Buffer.alloc(60)
    for (let start = 0, turn = 0; start < file.length; turn += 1) {
      const piece = file.subarray(start, start + (pieces[turn % pieces.length] ?? 1))
      buffer.fill(0x41).set(piece)
      reader.push(buffer.subarray(0, piece.length))
      start += piece.length
    }
    expect({ header: reader.end() }).toEqual(outcomeOf(file, [file.length]))
  })
  fc.assert(property, { numRuns: 2000 })
})
