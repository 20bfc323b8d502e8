/** What is started gives way to whoever answers users. */
import { expect, test } from 'vitest'
import { readOutput } from '../src/process-group.ts'

test('a program that is started runs at a low priority, with its children', async () => {
  const untilLow = 'until [ "$(nice)" -ge 10 ]; do :; done; nice'
  expect(Number(await readOutput('/bin/sh', ['-c', untilLow], 20_000))).toBeGreaterThanOrEqual(10)
})
