import { describe, expect, it } from 'vitest'
import { parseWait } from '../src/prefer.ts'

describe('Prefer, as RFC 7240 writes it', () => {
  it.each([
    ['wait=10', 10],
    ['WAIT=10', 10],
    ['wait = 10', 10],
    ['wait="10"', 10],
    ['wait=0', 0],
    ['wait=007', 7],
    ['respond-async, wait=10', 10], // the RFC's own example
    ['handling=lenient, wait=100, respond-async', 60], // and another
    ['wait=60', 60],
    ['wait=61', 60],
    ['wait=99999999999999999999999', 60],
    ['return=minimal; foo="some parameter", wait=3', 3],
    ['wait=3; foo; bar=""; baz="x,y;z"', 3],
    ['wait=3;', 3],
    [';;wait=3', undefined],
    [', ,wait=3,', 3],
    ['wait=3, wait=5', 3],
    ['foo="a, wait=9, b", wait=4', 4],
    ['foo="a\\", wait=9", wait=4', 4],
    ['foo; wait=9', undefined], // a parameter of another preference
    ['x="unclosed, wait=4', undefined],
    ['x="unclosed, wait=4\\', undefined],
    ['b@d, wait=4', 4],
    ['wait', undefined],
    ['wait=', undefined],
    ['wait=""', undefined],
    ['wait=-1', undefined],
    ['wait=1.5', undefined],
    ['wait=1s', undefined],
    ['wait="5', undefined],
    ['wait=soon, wait=5', undefined], // only the first counts
    ['wait 5', undefined],
    ['wait=5 6', undefined],
    ['wait=5; b@d', undefined],
    ['', undefined],
    ['respond-async', undefined],
    ['waiting=5', undefined],
  ])('%s', (header, seconds) => {
    expect(parseWait(header)).toBe(seconds)
  })

  it.each([`wait;${' '.repeat(16_000)}@`, '"'.repeat(16_001), 'a="\\'.repeat(4_000), ';= '.repeat(5_000)])(
    'takes no time over what is made to take long: %.20s',
    (header) => {
      for (let times = 0; times < 100; times++) expect(parseWait(header)).toBeUndefined()
    },
  )
})
