/** A draft on a real folder: pieces are gathered, none is lost, and a slow upload shows that it lives. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createDraft } from '../src/wav-draft.ts'

let dir: string
const temporaryPath = () => join(dir, 'temporary')
const pathOf = (key: bigint) => join(dir, String(key))

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wavemill-draft-'))
})
afterEach(async () => {
  vi.useRealTimers()
  await rm(dir, { recursive: true, force: true })
})

test('pieces of any sizes make the file, in their order', async () => {
  const source = randomBytes(5_000_000)
  const sizes = fc.array(fc.oneof(fc.nat(100), fc.nat(70_000), fc.nat(700_000), fc.constant(131_072)), {
    maxLength: 60,
  })
  await fc.assert(
    fc.asyncProperty(sizes, async (lengths) => {
      const draft = await createDraft(temporaryPath(), pathOf)
      let taken = 0
      for (const length of lengths) {
        const piece = source.subarray(taken, taken + length)
        await draft.write(piece)
        taken += piece.byteLength
        expect(draft.bytes).toBe(taken)
      }
      await draft.commit(1n)
      expect((await readFile(pathOf(1n))).equals(source.subarray(0, taken))).toBe(true)
    }),
    { numRuns: 20 },
  )
})

test('thousands of single bytes make the file too', async () => {
  const bytes = randomBytes(5_000)
  const draft = await createDraft(temporaryPath(), pathOf)
  for (const byte of bytes) await draft.write(Buffer.of(byte))
  await draft.commit(1n)
  expect(await readFile(pathOf(1n))).toEqual(bytes)
})

test('the first piece is written, and each that comes a second after the last write, so that the file is seen to grow', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const written = () => readFile(temporaryPath(), 'utf8')
  const draft = await createDraft(temporaryPath(), pathOf)
  await draft.write(Buffer.from('begins'))
  await expect.poll(written).toBe('begins')
  await draft.write(Buffer.from(', waits'))
  expect(await written()).toBe('begins')
  vi.setSystemTime(Date.now() + 1_000)
  await draft.write(Buffer.from(', goes on'))
  await expect.poll(written).toBe('begins, waits, goes on')
  await draft.discard()
})

test('a draft that is discarded while it is written leaves nothing', async () => {
  const draft = await createDraft(temporaryPath(), pathOf)
  await draft.write(randomBytes(4_000_000))
  await draft.discard()
  await expect(readFile(temporaryPath())).rejects.toThrow('ENOENT')
  await expect(draft.write(Buffer.from('late'))).rejects.toThrow('ended')
})
