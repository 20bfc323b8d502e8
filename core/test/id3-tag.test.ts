/** The ID3v2.3 tag, judged by ffprobe and mediainfo, and byte by byte against the specification. */
import { describe, expect, test } from 'vitest'
import { ffprobe, mediainfo, mp3valProblems } from '../../test/support/judges.ts'
import { missing } from '../../test/support/requirement.ts'
import { buildId3Tag } from '../src/id3-tag.ts'
import type { Tags } from '../src/tags.ts'

test('without tags there is no tag', () => {
  expect(buildId3Tag({})).toEqual(Buffer.alloc(0))
})

test('the bytes are those of the specification', () => {
  const tag = buildId3Tag({ title: 'é', date: '2024-02-29', comment: 'Ж' })
  const frames = [
    'TIT2\0\0\0\x02\0\0\0\xe9',
    'TYER\0\0\0\x05\0\0\x002024',
    'TDAT\0\0\0\x05\0\0\x002902',
    'COMM\0\0\0\x0c\0\0\x01XXX\xff\xfe\0\0\xff\xfe\x16\x04',
  ]
  expect(tag.toString('latin1')).toBe(`ID3\x03\0\0\0\0\0\x40${frames.join('')}`)
})

test('the size is told in seven bits of each byte', () => {
  const tag = buildId3Tag({ comment: 'x'.repeat(1000) })
  // 10 bytes of the frame's head, 1 of encoding, 3 of language, 1 of description, 1000 of text: 7 * 128 + 119.
  expect([...tag.subarray(6, 10)]).toEqual([0, 0, 7, 119])
  expect(tag.length).toBe(10 + 1015)
})

const noJudge = ['ffprobe', 'mediainfo', 'mp3val'].some(missing)
const latin = {
  ...{ title: 'Night', artist: 'Café Noir', album: 'Übung', date: '2024', comment: 'a; b', genre: 'Folk' },
}
const cyrillic = {
  ...{
    title: 'Ночь',
    artist: 'Кино',
    album: 'Группа крови',
    date: '1988-01-05',
    comment: 'Ещё',
    genre: 'Рок',
  },
}

describe.skipIf(noJudge)('read back by others', () => {
  test.each<[string, Tags]>([
    ['Latin', latin],
    ['Cyrillic', cyrillic],
    [
      'beyond the first plane, and right to left',
      { title: '\u{1f3b5} tune', artist: 'עברית', genre: '日本' },
    ],
    ['the longest', { comment: '\u{1f3b5}'.repeat(1000) }],
  ])('%s, by ffprobe; and mp3val finds no fault', async (_, tags) => {
    const mp3 = Buffer.concat([buildId3Tag(tags), silence])
    expect((await ffprobe(mp3)).format.tags).toEqual(tags)
    expect(await mp3valProblems(mp3)).toEqual([])
  })

  // mediainfo knows no characters beyond the first plane.
  test.each([latin, cyrillic])('by mediainfo: $title', async (tags) => {
    const mp3 = Buffer.concat([buildId3Tag(tags), silence])
    expect(await mediainfo(mp3, 'General')).toMatchObject({
      Title: tags.title,
      Performer: tags.artist,
      Album: tags.album,
      Comment: tags.comment,
      Genre: tags.genre,
      Recorded_Date: expect.stringContaining(tags.date.slice(0, 4)),
    })
  })
})

/** Frames of 32 kbit/s at 32 kHz without any sound: header, empty side information, nothing. */
const silence = Buffer.concat(
  Array.from({ length: 40 }, () => Buffer.concat([Buffer.from('fffb18c0', 'hex'), Buffer.alloc(140)])),
)
