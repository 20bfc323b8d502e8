/** Range requests as arithmetic (RFC 9110, section 14): which bytes a `Range` header asks for, and what a 206 is made of. */

/** Bytes [start, end) of a representation; never empty. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** What a body is made of, in order: bytes of the representation, and text between them. */
export type BodyPiece = ByteRange | string

/** The body of a 206 and the headers that tell of it. */
export interface PartialBody {
  readonly headers: Readonly<Record<string, string>>
  readonly pieces: readonly BodyPiece[]
}

/** More cost us more than the whole (section 17.15). */
const MAX_RANGES = 16

/**
 * Reads a `Range` header. Ranges that overlap or touch become one; the others keep the order in which they were asked for.
 *
 * @param size bytes of the whole, at least 1.
 * @returns `whole` if the header is to be ignored: another unit, malformed, or more than 16 ranges. `unsatisfiable` if no
 * range has a byte in it.
 */
export function selectRanges(header: string, size: number): readonly ByteRange[] | 'whole' | 'unsatisfiable' {
  const list = /^bytes=(.*)$/i.exec(header)?.[1]
  if (list === undefined) return 'whole'
  const specs = list.split(',').filter((spec) => !/^[\t ]*$/.test(spec)) // section 5.6.1.2: members may be empty
  if (specs.length === 0 || specs.length > MAX_RANGES) return 'whole'
  const asked: ByteRange[] = []
  for (const spec of specs) {
    const range = readSpec(spec, size)
    if (range === undefined) return 'whole'
    asked.push(range)
  }
  const ranges = asked.filter(({ start, end }) => start < end)
  return ranges.length === 0 ? 'unsatisfiable' : mergeRanges(ranges)
}

/** @returns empty where it cannot be satisfied; undefined if it is malformed. */
function readSpec(spec: string, size: number): ByteRange | undefined {
  const [, first = '', last = ''] = /^[\t ]*(\d*)-(\d*)[\t ]*$/.exec(spec) ?? []
  if (first === '') return last === '' ? undefined : { start: Math.max(size - Number(last), 0), end: size }
  if (last === '') return { start: Number(first), end: size }
  if (Number(last) < Number(first)) return undefined
  return { start: Number(first), end: Math.min(Number(last) + 1, size) }
}

/** Each range takes in those before it that it touches, at the place of the first of them. */
function mergeRanges(ranges: readonly ByteRange[]): readonly ByteRange[] {
  let merged: readonly ByteRange[] = []
  for (const range of ranges) {
    const touched = merged.filter(({ start, end }) => start <= range.end && range.start <= end)
    const union = {
      start: Math.min(range.start, ...touched.map(({ start }) => start)),
      end: Math.max(range.end, ...touched.map(({ end }) => end)),
    }
    const [first] = touched
    const place = first === undefined ? merged.length : merged.indexOf(first)
    const others = merged.filter((other) => !touched.includes(other))
    merged = [...others.slice(0, place), union, ...others.slice(place)]
  }
  return merged
}

/**
 * One range stands alone; several become a `multipart/byteranges` (section 14.6), whose length is known beforehand.
 *
 * @param whole its size in bytes, and its media type.
 * @param boundary must not occur in the bytes: something long and random.
 */
export function partialBody(
  ranges: readonly ByteRange[],
  whole: { readonly size: number; readonly type: string },
  boundary: string,
): PartialBody {
  const [only] = ranges
  const isAlone = ranges.length === 1 && only !== undefined
  const pieces = isAlone ? [only] : multipart(ranges, whole, boundary)
  const headers = isAlone
    ? { 'content-type': whole.type, 'content-range': contentRange(only, whole.size) }
    : { 'content-type': `multipart/byteranges; boundary=${boundary}` }
  const bytes = pieces.reduce((sum, piece) => sum + lengthOf(piece), 0)
  return { headers: { ...headers, 'content-length': String(bytes) }, pieces }
}

function multipart(
  ranges: readonly ByteRange[],
  { size, type }: { readonly size: number; readonly type: string },
  boundary: string,
): BodyPiece[] {
  const parts = ranges.flatMap((range, index) => {
    const delimiter = `${index === 0 ? '' : '\r\n'}--${boundary}\r\n`
    const fields = `Content-Type: ${type}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`
    return [delimiter + fields, range]
  })
  return [...parts, `\r\n--${boundary}--\r\n`]
}

/** Its last position is included. */
function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`
}

function lengthOf(piece: BodyPiece): number {
  return typeof piece === 'string' ? Buffer.byteLength(piece) : piece.end - piece.start
}
