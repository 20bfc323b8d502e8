/** Reads the text frames of an ID3 tag of version 2.3 or 2.4 (id3.org), as some WAVs carry one in a chunk. */
import { numbersOf, textAt } from './riff-chunks.ts'
import type { TagTexts } from './tags.ts'
import { decodeText } from './text-encodings.ts'

const HEAD_BYTES = 10
const UNSYNCHRONISED = 0x80
const EXTENDED = 0x40
// Flags of a frame of version 2.4; every other one means that its content is packed or locked.
const FRAME_UNSYNCHRONISED = 0x02
const FRAME_LENGTH_GIVEN = 0x01

type Version = 3 | 4

/** @param bytes begins with the tag, and may end before it does. What is no such tag says nothing. */
export function readId3Tag(bytes: Uint8Array): TagTexts {
  const texts = new Map<string, string>()
  for (const { id, content } of framesOf(bytes)) {
    const text = id === 'COMM' ? commentOf(content) : textOf(content)
    if (text !== undefined && !texts.has(id)) texts.set(id, text)
  }
  return {
    title: texts.get('TIT2'),
    artist: texts.get('TPE1'),
    album: texts.get('TALB'),
    date: texts.get('TDRC') ?? dateOf(texts.get('TYER'), texts.get('TDAT')),
    comment: texts.get('COMM'),
    genre: texts.get('TCON'),
  }
}

/** Version 2.3 keeps the day apart, as DDMM. */
function dateOf(year: string | undefined, day: string | undefined): string | undefined {
  if (year === undefined || day === undefined) return year
  return `${year}-${day.slice(2, 4)}-${day.slice(0, 2)}`
}

interface Frame {
  readonly id: string
  readonly content: Uint8Array
}

function* framesOf(tag: Uint8Array): Generator<Frame> {
  if (tag.length < HEAD_BYTES || textAt(tag, 0).slice(0, 3) !== 'ID3') return
  const [, , , version, , flags = 0] = tag
  if (version !== 3 && version !== 4) return
  const stored = tag.subarray(HEAD_BYTES, HEAD_BYTES + synchsafeAt(tag, 6))
  // In 2.3 the whole tag was made so that no byte looks like the begin of a frame, in 2.4 each frame by itself.
  const body = version === 3 && flags & UNSYNCHRONISED ? resynchronised(stored) : stored
  for (let at = flags & EXTENDED ? extendedHeadBytes(body, version) : 0; at + HEAD_BYTES <= body.length; ) {
    const id = textAt(body, at)
    if (!/^[A-Z][A-Z0-9]{3}$/.test(id)) return // padding
    const start = at + HEAD_BYTES
    const end = start + frameBytes(body, at + 4, version)
    if (end > body.length) return
    const content = contentOf(body.subarray(start, end), body[at + 9] ?? 0, version, flags)
    if (content !== undefined && /^T|^COMM/.test(id)) yield { id, content }
    at = end
  }
}

function extendedHeadBytes(body: Uint8Array, version: Version): number {
  if (body.length < 4) return body.length
  return version === 3 ? 4 + numbersOf(body, true).u32(0) : synchsafeAt(body, 0)
}

/** In 2.4 a frame's size is synchsafe, but some writers forgot. */
function frameBytes(body: Uint8Array, at: number, version: Version): number {
  const isPlain = version === 3 || body.subarray(at, at + 4).some((byte) => byte > 0x7f)
  return isPlain ? numbersOf(body, true).u32(at) : synchsafeAt(body, at)
}

/** @returns undefined if it is compressed, encrypted or grouped. */
function contentOf(stored: Uint8Array, frameFlags: number, version: Version, tagFlags: number) {
  if (version === 3) return frameFlags === 0 ? stored : undefined
  if (frameFlags & ~(FRAME_UNSYNCHRONISED | FRAME_LENGTH_GIVEN)) return undefined
  const content = frameFlags & FRAME_LENGTH_GIVEN ? stored.subarray(4) : stored
  const isUnsynchronised = frameFlags & FRAME_UNSYNCHRONISED || tagFlags & UNSYNCHRONISED
  return isUnsynchronised ? resynchronised(content) : content
}

/** Takes out each zero that was put behind an 0xff. */
function resynchronised(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, at) => byte !== 0 || at === 0 || bytes[at - 1] !== 0xff)
}

function synchsafeAt(bytes: Uint8Array, at: number): number {
  return bytes.subarray(at, at + 4).reduce((size, byte) => (size << 7) | (byte & 0x7f), 0)
}

/** More values than one are parted by NUL in 2.4. */
function textOf(content: Uint8Array): string {
  return partsOf(content, 1)
    .filter((part) => part !== '')
    .join(' / ')
}

/** Comments with a description are something else, such as volumes. */
function commentOf(content: Uint8Array): string | undefined {
  const [description, text] = partsOf(content, 4)
  return description === '' ? text : undefined
}

/** @param start where the text begins; its encoding is the first byte. */
function partsOf(content: Uint8Array, start: number): string[] {
  const bytes = content.subarray(start)
  return decode(bytes, content[0] ?? 0)
    .replaceAll('\ufeff', '')
    .split('\0')
}

function decode(bytes: Uint8Array, encoding: number): string {
  if (encoding === 0) return decodeText(bytes, 'windows-1252')
  if (encoding === 3) return decodeText(bytes, 'utf-8')
  const isBigEndian = encoding === 2 || (bytes[0] === 0xfe && bytes[1] === 0xff)
  return decodeText(bytes, isBigEndian ? 'utf-16be' : 'utf-16le')
}
