/** What the sample cleaner gives for values that an encoder must never see. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSampleCleaner, type SampleCleaner } from '../src/clean-samples.ts'

type Width = 4 | 8
type Order = 'le' | 'be'

function encode(values: readonly number[], width: Width, order: Order): Buffer {
  const view = new DataView(new ArrayBuffer(values.length * width))
  values.forEach((value, index) => {
    if (width === 4) view.setFloat32(index * 4, value, order === 'le')
    else view.setFloat64(index * 8, value, order === 'le')
  })
  return Buffer.from(view.buffer)
}

/** The rule in plain numbers: what is no number is silence, what is too loud is full scale. */
function asExpected(value: number): number {
  if (!Number.isFinite(value)) return 0
  return Math.max(-1, Math.min(1, value))
}

function cleanerOf(encoding: string): SampleCleaner {
  const cleaner = createSampleCleaner(encoding)
  if (cleaner === undefined) throw new Error(`${encoding} is not cleaned`)
  return cleaner
}

/** Pushes `bytes` in pieces that end at the given places. */
function pushInPieces(encoding: string, bytes: Buffer, cuts: readonly number[]): Buffer {
  const cleaner = cleanerOf(encoding)
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  const pieces: Uint8Array[] = []
  let start = 0
  for (const end of ends) {
    pieces.push(Buffer.from(cleaner.push(Buffer.from(bytes.subarray(start, end)))))
    start = end
  }
  return Buffer.concat(pieces)
}

const anyFloat = fc.oneof(
  fc.double(),
  fc.double({ min: -2, max: 2 }),
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    0.999_999_94,
    1.000_000_1,
    Number.NaN,
    Infinity,
    -Infinity,
    3e38,
    -1e30,
    1e-45,
  ),
)
const cuts = fc.array(fc.nat(), { maxLength: 6 })

describe.each([
  ['f32le', 4, 'le'],
  ['f32be', 4, 'be'],
  ['f64le', 8, 'le'],
  ['f64be', 8, 'be'],
] as const)('%s', (encoding, width, order) => {
  test('NaN and infinity become silence, too loud becomes full scale, the rest stays, however the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(anyFloat, { maxLength: 40 }), cuts, (values, places) => {
        // Rounded to the format first, so that a value just above 1 is judged as it is stored.
        const stored = width === 4 ? values.map(Math.fround) : values
        const cleaned = pushInPieces(encoding, encode(stored, width, order), places)
        expect(cleaned).toEqual(encode(stored.map(asExpected), width, order))
      }),
    )
  })

  test('it stays the same raw format', () => {
    expect(cleanerOf(encoding).encoding).toBe(encoding)
  })
})

test.each([
  ['s64le', 's32le', '0807060504030201 00000000000000ff', '04030201 000000ff'],
  ['s64be', 's32be', '0102030405060708 ff00000000000000', '01020304 ff000000'],
])('%s keeps the upper half of each sample, as %s', (from, to, input, expected) => {
  const bytes = Buffer.from(input.replaceAll(' ', ''), 'hex')
  expect(cleanerOf(from).encoding).toBe(to)
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(pushInPieces(from, bytes, [cut]).toString('hex')).toBe(expected.replaceAll(' ', ''))
  }
})

test.each(['u8', 's16le', 's24be', 's32le', 'alaw', 'mulaw'])('%s needs no cleaning', (encoding) => {
  expect(createSampleCleaner(encoding)).toBeUndefined()
})
