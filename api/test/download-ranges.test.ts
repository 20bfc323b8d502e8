/** Range requests over HTTP by the rules of RFC 9110, section 14; slices of the whole body are what is right. */
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readByteRanges } from './multipart-byteranges.ts'
import { type ReadyRecording, readyRecording } from './ready-mp3.ts'
import { type RunningApp, startApp } from './running-app.ts'

const mp3 = randomBytes(1_048_576 + 10_000) // two chunks behind a head of 100 bytes
const SIZE = mp3.length
const LAST = SIZE - 1

let app: RunningApp
let recording: ReadyRecording
let whole: Response
beforeAll(async () => {
  app = await startApp()
  recording = await readyRecording(app, mp3)
  whole = await fetch(recording.url)
  expect(Buffer.from(await whole.arrayBuffer()).equals(mp3)).toBe(true)
})
afterAll(() => app?.stop())

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

async function get(headers: Record<string, string>, method = 'GET'): Promise<Answer> {
  const answer = await fetch(recording.url, { method, headers })
  return {
    status: answer.status,
    headers: answer.headers,
    body: Buffer.from(await answer.arrayBuffer()),
  }
}

/** What is the same in the whole and in each part of it (section 15.3.7). */
function expectHeadersOfTheWhole({ headers, body }: Answer): void {
  const same = [
    ...['etag', 'last-modified', 'repr-digest', 'cache-control', 'content-disposition', 'accept-ranges'],
    ...['content-security-policy', 'x-content-type-options'],
  ]
  for (const name of same) {
    expect(whole.headers.get(name), name).not.toBeNull()
    expect(headers.get(name), name).toBe(whole.headers.get(name))
  }
  expect(headers.get('content-length')).toBe(String(body.length))
}

/** @param ranges [start, end) of each, in the order in which they must come. */
function expectRanges(answer: Answer, ranges: readonly (readonly [number, number])[]): void {
  expect(answer.status).toBe(206)
  expectHeadersOfTheWhole(answer)
  const type = answer.headers.get('content-type') ?? ''
  const [first] = ranges
  if (ranges.length === 1 && first !== undefined) {
    const [start, end] = first
    expect(type).toBe('audio/mpeg')
    expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${SIZE}`)
    expect(answer.body.equals(mp3.subarray(start, end))).toBe(true)
    return
  }
  expect(answer.headers.get('content-range')).toBeNull() // section 15.3.7.2
  const parts = readByteRanges(type, answer.body)
  expect(parts.map(({ start, end }) => [start, end])).toEqual(ranges)
  for (const part of parts) {
    expect(part).toMatchObject({ type: 'audio/mpeg', size: SIZE })
    expect(part.bytes.equals(mp3.subarray(part.start, part.end))).toBe(true)
  }
}

describe('a range', () => {
  it.each<[string, ...[number, number][]]>([
    ['bytes=0-499', [0, 500]],
    ['bytes=500-999', [500, 1000]],
    ['bytes=0-0', [0, 1]],
    [`bytes=${LAST}-${LAST}`, [LAST, SIZE]],
    ['bytes=-500', [SIZE - 500, SIZE]],
    ['bytes=-1', [LAST, SIZE]],
    ['bytes=9500-', [9500, SIZE]],
    ['bytes=0-', [0, SIZE]],
    [`bytes=${LAST}-`, [LAST, SIZE]],
    // Beyond the end: the rest (section 14.1.2).
    [`bytes=10-${SIZE}`, [10, SIZE]],
    [`bytes=10-${'9'.repeat(400)}`, [10, SIZE]],
    [`bytes=-${SIZE + 1}`, [0, SIZE]],
    [`bytes=-${'9'.repeat(400)}`, [0, SIZE]],
    ['bytes=000010-0000000000000000000000020', [10, 21]],
    // Across the head and the chunks.
    ['bytes=99-100', [99, 101]],
    ['bytes=1048000-1048999', [1_048_000, 1_049_000]],
    ['bytes=50-1048900', [50, 1_048_901]],
    // The unit's name in any case (section 14.1), and empty members and spaces in a list (section 5.6.1).
    ['Bytes=0-1', [0, 2]],
    ['bytes=,, \t,0-1 ,', [0, 2]],
    ['bytes=0-1 , 5-6', [0, 2], [5, 7]],
    // Several, in the order asked for.
    ['bytes=500-600,0-1', [500, 601], [0, 2]],
    ['bytes=0-0,-1', [0, 1], [LAST, SIZE]],
    ['bytes=0-0,1048676-1048676,1050000-', [0, 1], [1_048_676, 1_048_677], [1_050_000, SIZE]],
    // What touches or overlaps is one.
    ['bytes=0-4,5-9', [0, 10]],
    ['bytes=5-9,0-4', [0, 10]],
    ['bytes=500-600,601-999', [500, 1000]],
    ['bytes=500-700,601-999', [500, 1000]],
    ['bytes=0-9,0-9,0-9', [0, 10]],
    ['bytes=0-,-10', [0, SIZE]],
    ['bytes=10-19,40-49,30-39,0-4,15-32', [10, 50], [0, 5]],
    // One that cannot be satisfied is left off beside those that can.
    [`bytes=${SIZE}-,0-1`, [0, 2]],
    ['bytes=-0,0-1', [0, 2]],
    [`bytes=${Array.from({ length: 16 }, () => '7-8').join()}`, [7, 9]],
  ])('%s gives exactly those bytes', async (range, ...expected) => {
    expectRanges(await get({ range }), expected)
  })

  it.each([
    ['bytes=5-4'],
    ['bytes=0-1,5-4'],
    ['bytes=-'],
    ['bytes='],
    ['bytes=,'],
    ['bytes'],
    ['bytes=a-b'],
    ['bytes=0-1;2-3'],
    ['bytes=0--1'],
    ['bytes=-1-2'],
    ['bytes=+0-1'],
    ['bytes=0x0-0x10'],
    ['bytes=1e1-2e1'],
    ['bytes=0-1 2-3'],
    ['bytes =0-1'],
    ['bytes 0-1'],
    ['0-1'],
    ['seconds=0-1'],
    ['items=0-1'],
    ['bytes=0-1, bytes=2-3'],
    ['bytes=\u00a00-1'],
    [`bytes=${'0-0,'.repeat(16)}0-0`],
  ])('%s is ignored: malformed, of another unit, or of too many', async (range) => {
    const answer = await get({ range })
    expect(answer.status).toBe(200)
    expectHeadersOfTheWhole(answer)
    expect(answer.headers.get('content-range')).toBeNull()
    expect(answer.body.equals(mp3)).toBe(true)
  })

  it.each([
    [`bytes=${SIZE}-`],
    [`bytes=${SIZE}-${SIZE + 10}`],
    [`bytes=${'9'.repeat(400)}-`],
    ['bytes=-0'],
    [`bytes=-0,${SIZE}-,${SIZE + 5}-${SIZE + 6}`],
  ])('%s is 416, with how long the MP3 is', async (range) => {
    const { status, headers, body } = await get({ range })
    expect(status).toBe(416)
    expect(headers.get('content-range')).toBe(`bytes */${SIZE}`)
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-disposition')).toBeNull()
    expect(JSON.parse(body.toString())).toMatchObject({ status: 416, code: 'range-not-satisfiable' })
  })

  it.each(['bytes=0-1', 'bytes=0-1,5-6', `bytes=${SIZE}-`])('%s means nothing in a HEAD', async (range) => {
    const answer = await get({ range }, 'HEAD')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-length')).toBe(String(SIZE))
    expect(answer.headers.get('content-range')).toBeNull()
  })
})

it('any set of ranges gives the same bytes as slicing', async () => {
  // Near the ends, near the head and near the chunks' borders, where mistakes would be.
  const borders = fc.constantFrom(0, 100, 1_048_676, SIZE)
  const position = fc.oneof(
    fc.tuple(borders, fc.integer({ min: -3, max: 3 })).map(([border, off]) => Math.max(0, border + off)),
    fc.nat(SIZE + 100),
  )
  const spec = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(position, fc.nat(5000)).map(([at, more]) => [at, at + more] as const) },
    fc.tuple(position, position).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
    position.map((at) => [at, undefined] as const),
    fc.nat(5000).map((length) => [undefined, length] as const),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(spec, { minLength: 1, maxLength: 16 }), async (specs) => {
      const range = `bytes=${specs.map(([first, last]) => `${first ?? ''}-${last ?? ''}`).join()}`
      const wanted = new Uint8Array(SIZE)
      for (const [first, last] of specs) {
        if (first === undefined) wanted.fill(1, Math.max(0, SIZE - last))
        else wanted.fill(1, first, last === undefined ? SIZE : last + 1)
      }
      const stretches = stretchesOf(wanted)
      const answer = await get({ range })
      if (stretches.length === 0) {
        expect(answer.status).toBe(416)
        return // nothing: a property takes false for a failure
      }
      const type = answer.headers.get('content-type') ?? ''
      const isAlone = type === 'audio/mpeg'
      const order = isAlone
        ? stretches
        : readByteRanges(type, answer.body).map(({ start, end }) => [start, end] as const)
      expect([...order].sort(([a], [b]) => a - b)).toEqual(stretches)
      expectRanges(answer, order)
    }),
    { numRuns: 80 },
  )
})

/** Runs of ones, as [start, end). */
function stretchesOf(wanted: Uint8Array): [number, number][] {
  const stretches: [number, number][] = []
  for (let start = wanted.indexOf(1); start >= 0; ) {
    const zero = wanted.indexOf(0, start)
    const end = zero < 0 ? wanted.length : zero
    stretches.push([start, end])
    start = wanted.indexOf(1, end)
  }
  return stretches
}
