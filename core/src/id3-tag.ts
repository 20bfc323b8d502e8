/** Writes the ID3v2.3 tag that stands in front of an MP3 (id3.org, "ID3 tag version 2.3.0"). */
import type { Tags } from './tags.ts'

const LATIN1 = 0
const UTF16_WITH_BOM = 1
const BOM = '\ufeff'

/**
 * Version 2.3, because everything reads it. Its readers pass over the tag by its size, so it is written without
 * unsynchronisation, as all writers of today do.
 *
 * @returns no bytes at all where there is nothing to say.
 */
export function buildId3Tag(tags: Tags): Buffer {
  const { title, artist, album, date, genre, comment } = tags
  const body = Buffer.concat([
    textFrame('TIT2', title),
    textFrame('TPE1', artist),
    textFrame('TALB', album),
    textFrame('TYER', date?.slice(0, 4)),
    textFrame('TDAT', date === undefined ? undefined : dayAndMonthOf(date)),
    textFrame('TCON', genre),
    commentFrame(comment),
  ])
  if (body.length === 0) return body
  const head = Buffer.from('ID3\x03\0\0', 'latin1')
  return Buffer.concat([head, synchsafe(body.length), body])
}

/** DDMM; undefined where the date is only a year. */
function dayAndMonthOf(date: string): string | undefined {
  const [, month, day] = date.split('-')
  return month === undefined || day === undefined ? undefined : `${day}${month}`
}

function textFrame(id: string, text: string | undefined): Buffer {
  if (text === undefined) return Buffer.alloc(0)
  const encoding = encodingOf(text)
  return frame(id, Buffer.from([encoding]), encode(text, encoding))
}

/** A comment has a language, which nobody told us, and a description, which is empty: that makes it the comment. */
function commentFrame(text: string | undefined): Buffer {
  if (text === undefined) return Buffer.alloc(0)
  const encoding = encodingOf(text)
  const noDescription = encode('', encoding)
  const end = Buffer.alloc(encoding === LATIN1 ? 1 : 2)
  return frame(
    'COMM',
    Buffer.from([encoding]),
    Buffer.from('XXX'),
    noDescription,
    end,
    encode(text, encoding),
  )
}

/** The size of a frame is a plain number; only that of the whole tag is not. */
function frame(id: string, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content)
  const head = Buffer.alloc(10)
  head.write(id, 0, 'latin1')
  head.writeUInt32BE(body.length, 4)
  return Buffer.concat([head, body])
}

function encodingOf(text: string): number {
  return /^[\x20-\x7e\xa0-\xff]*$/.test(text) ? LATIN1 : UTF16_WITH_BOM
}

function encode(text: string, encoding: number): Buffer {
  return encoding === LATIN1 ? Buffer.from(text, 'latin1') : Buffer.from(BOM + text, 'utf16le')
}

/** 28 bits, seven in each byte, so that no byte looks like the begin of a frame. */
function synchsafe(size: number): Buffer {
  return Buffer.from([21, 14, 7, 0].map((shift) => (size >> shift) & 0x7f))
}
