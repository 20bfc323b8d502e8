import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Problem } from '../src/problem.ts'
import { parseUserName } from '../src/user-name.ts'

it('whatever is given, a name is refused as bad-name, or is NFC, trimmed, 1..100 code points without controls', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (given) => {
      try {
        const name = parseUserName(given)
        expect(name).toBe(name.normalize('NFC'))
        expect(name).toBe(name.trim())
        expect(Buffer.from(name).toString()).toBe(name) // UTF-8 can hold it
        expect([...name].length).toBeGreaterThanOrEqual(1)
        expect([...name].length).toBeLessThanOrEqual(100)
        for (const character of name)
          expect(character < ' ' || (character >= '\x7f' && character < '\xa0')).toBe(false)
        expect(parseUserName(name)).toBe(name)
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        expect(error).toMatchObject({ code: 'bad-name', status: 400 })
      }
    }),
    { numRuns: 1000 },
  )
})
