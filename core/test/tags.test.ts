/** Tags of an upload and of a WAV: what is taken, what is refused, what is tidied. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OptionError } from '../src/encode-options.ts'
import { parseTags, storedTags, storedTitle, TAG_FIELDS, tidyTags } from '../src/tags.ts'

const parse = (fields: Readonly<Record<string, string>>) => parseTags(new Map(Object.entries(fields)))

test.each([
  [{}, {}],
  [{ quality: '2', name: 'x' }, {}],
  [{ title: '' }, {}],
  [
    { title: ' Ночь ', comment: 'said: "no"' },
    { title: 'Ночь', comment: 'said: "no"' },
  ],
  [{ artist: 'Cafe\u0301' }, { artist: 'Caf\u00e9' }],
  [{ album: '\u{1f3b5}'.repeat(1000) }, { album: '\u{1f3b5}'.repeat(1000) }],
  [{ date: '2024' }, { date: '2024' }],
  [{ date: '2024-02-29' }, { date: '2024-02-29' }],
])('%j is understood', (fields, tags) => {
  expect(parse(fields)).toEqual(tags)
})

test.each([
  ['title', 'a\nb', 'control characters'],
  ['title', 'a\0b', 'control characters'],
  ['comment', 'a\x85b', 'control characters'],
  ['genre', 'x'.repeat(1001), '1,000 characters'],
  ['artist', '\ud800', 'control characters'],
  ['date', 'yesterday', 'YYYY-MM-DD'],
  ['date', '2024-05', 'YYYY-MM-DD'],
  ['date', '2023-02-29', 'YYYY-MM-DD'],
  ['date', '2024-13-01', 'YYYY-MM-DD'],
  ['date', '0000', 'YYYY-MM-DD'],
])('%s %j is refused, and the answer names the field and what it may be', (field, text, allowed) => {
  const parsing = () => parse({ [field]: text })
  expect(parsing).toThrow(OptionError)
  expect(parsing).toThrow(`"${field}" must`)
  expect(parsing).toThrow(allowed)
})

test.each([
  ['2003', '2003'],
  ['2003-04-05', '2003-04-05'],
  ['2003:04:05', '2003-04-05'],
  ['2003/04/05 10:30:00', '2003-04-05'],
  ['2003-04-05T10:30:00Z', '2003-04-05'],
  ['2003-04', '2003'],
  ['2003-02-30', '2003'],
  ['2003 or so', '2003'],
  ['0000-00-00', undefined],
  ['20030405', undefined],
  ['May 2003', undefined],
  ['', undefined],
])('a WAV’s date "%s" is %s', (text, date) => {
  expect(tidyTags({ date }).date).toBe(date)
  expect(tidyTags({ date: text }).date).toBe(date)
})

test('whatever a WAV says, what becomes of it is what an upload may say, and stays as it is', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 900, maxLength: 1200 }))
  const texts = fc.record(
    { title: text, artist: text, album: text, date: text, comment: text, genre: text },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(texts, (said) => {
      const tags = tidyTags(said)
      expect(parseTags(new Map(Object.entries(tags)))).toEqual(tags)
      expect(tidyTags(tags)).toEqual(tags)
    }),
    { numRuns: 300 },
  )
})

test('tags of the upload win over those of the WAV, and only they name the file', () => {
  const options = { tags: { title: 'Mine' }, wavTags: { title: 'Take 1', artist: 'Zoom' } }
  expect(storedTags(options)).toEqual({ title: 'Mine', artist: 'Zoom' })
  expect(storedTitle(options)).toBe('Mine')
  expect(storedTitle({ wavTags: options.wavTags })).toBeUndefined()
})

test('whatever lies in the database, reading it back gives tags', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (tags, wavTags) => {
      for (const stored of [tags, { tags, wavTags }, { tags: { title: tags } }]) {
        expect(TAG_FIELDS).toEqual(expect.arrayContaining(Object.keys(storedTags(stored))))
      }
    }),
  )
})
