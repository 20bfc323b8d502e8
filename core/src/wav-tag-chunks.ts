/** Reads what two chunks of a WAV say of it: LIST/INFO (RIFF MCI) and `bext` (EBU Tech 3285). */
import { numbersOf, textAt } from './riff-chunks.ts'
import type { TagField, TagTexts } from './tags.ts'
import { decodeText, untilNul } from './text-encodings.ts'

const infoFields: Readonly<Record<string, TagField>> = {
  INAM: 'title',
  IART: 'artist',
  IPRD: 'album',
  ICRD: 'date',
  ICMT: 'comment',
  IGNR: 'genre',
}

/**
 * INFO names no encoding: it is UTF-8 where it can be, and windows-1252 otherwise.
 *
 * @param bytes content of a LIST chunk, perhaps cut; a list that is not INFO says nothing.
 */
export function readInfoList(bytes: Uint8Array, bigEndian: boolean): TagTexts {
  const texts: { [Field in TagField]?: string } = {}
  if (bytes.length < 4 || textAt(bytes, 0) !== 'INFO') return texts
  const { u32 } = numbersOf(bytes, bigEndian)
  for (let at = 4; at + 8 <= bytes.length; ) {
    const field = infoFields[textAt(bytes, at)]
    const end = at + 8 + u32(at + 4)
    if (end > bytes.length) break
    if (field !== undefined) texts[field] ??= plainText(bytes.subarray(at + 8, end))
    // A pad byte is zero, and some writers forget it.
    at = end % 2 === 1 && bytes[end] === 0 ? end + 1 : end
  }
  return texts
}

const BROADCAST_BYTES = 346

/** Description and time reference become the comment: there is no tag for either. */
export function readBroadcastChunk(bytes: Uint8Array, bigEndian: boolean): TagTexts {
  if (bytes.length < BROADCAST_BYTES) return {}
  const textOf = (start: number, length: number) => plainText(bytes.subarray(start, start + length)).trim()
  const timeReference = numbersOf(bytes, bigEndian).u64(338)
  const comment = [textOf(0, 256), timeReference === 0n ? '' : `time reference ${timeReference} samples`]
  return {
    artist: textOf(256, 32),
    date: textOf(320, 10),
    comment: comment.filter((part) => part !== '').join('; '),
  }
}

function plainText(bytes: Uint8Array): string {
  return decodeText(untilNul(bytes))
}
