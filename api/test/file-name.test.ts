import contentDisposition from 'content-disposition'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { cleanFileName, downloadName } from '../src/file-name.ts'

it.each([
  [undefined, 'recording.wav'],
  ['a/b/c.wav', 'c.wav'],
  ['C:\\a\\b.wav', 'b.wav'],
  ['a/', 'recording.wav'],
  ['a\r\nb\0.wav', 'ab.wav'],
  [' spaces .wav ', 'spaces .wav'],
  ['.hidden', '.hidden'],
  [`${'x'.repeat(300)}.wav`, `${'x'.repeat(146)}.wav`],
  [`${'\u{1f3b5}'.repeat(300)}.wav`, `${'\u{1f3b5}'.repeat(146)}.wav`],
])('cleans %s into %s', (given, expected) => {
  expect(cleanFileName(given)).toBe(expected)
})

it('whatever a client calls its file, the name is harmless and can be a header and back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (given) => {
      const name = cleanFileName(given)
      expect(name).not.toMatch(/[/\\]/)
      expect([...name].length).toBeLessThanOrEqual(150)
      expect(Buffer.from(name).toString()).toBe(name)
      expect(cleanFileName(name)).toBe(name)
      const download = downloadName(name)
      expect(download).toMatch(/\.mp3$/)
      expect(contentDisposition.parse(contentDisposition(download)).parameters.filename).toBe(download)
    }),
    { numRuns: 1000 },
  )
})
