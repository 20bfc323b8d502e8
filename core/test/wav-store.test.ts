/** The WAV store on a real folder: what is committed stays, what is not leaves nothing, ranges are exact. */
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, statfs, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createWavStore, type WavStore } from '../src/wav-store.ts'

let dir: string
let store: WavStore

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wavemill-store-'))
  store = await createWavStore(dir)
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function storeFile(key: bigint, bytes: Uint8Array): Promise<void> {
  const draft = await store.createDraft()
  await draft.write(bytes)
  await draft.commit(key)
}

test('a store makes its folder, and those above it, for nobody else to look into', async () => {
  const deep = join(dir, 'a b', 'wav')
  await createWavStore(deep)
  expect((await stat(deep)).mode & 0o007).toBe(0)
  await createWavStore(deep)
})

test('a committed draft is there under its key, byte for byte', async () => {
  const draft = await store.createDraft()
  await draft.write(Buffer.from('RIFF'))
  await draft.write(new Uint8Array(0))
  await draft.write(Buffer.from('....WAVE'))
  expect(draft.bytes).toBe(12)
  await draft.commit(42n)
  expect(await readdir(dir)).toEqual(['42.wav'])
  expect(await readFile(join(dir, '42.wav'), 'utf8')).toBe('RIFF....WAVE')
  expect(await store.size(42n)).toBe(12)
})

test('a discarded draft leaves nothing, however often it is discarded', async () => {
  const draft = await store.createDraft()
  await draft.write(randomBytes(100_000))
  expect(await readdir(dir)).toHaveLength(1)
  await draft.discard()
  await draft.discard()
  expect(await readdir(dir)).toEqual([])
  await expect(draft.write(Buffer.from('late'))).rejects.toThrow()
})

test('discarding after the commit changes nothing', async () => {
  const draft = await store.createDraft()
  await draft.write(Buffer.from('kept'))
  await draft.commit(1n)
  await draft.discard()
  expect(await store.size(1n)).toBe(4)
})

test('a commit that fails can still be discarded', async () => {
  await mkdir(join(dir, '7.wav'))
  const draft = await store.createDraft()
  await draft.write(Buffer.from('lost'))
  await expect(draft.commit(7n)).rejects.toThrow('EISDIR')
  await draft.discard()
  expect(await store.list()).toEqual([])
})

test('drafts at the same time do not meet', async () => {
  const keys = [1n, 2n, 3n, 4n, 5n]
  await Promise.all(keys.map((key) => storeFile(key, Buffer.alloc(100_000, Number(key)))))
  for (const key of keys) {
    const bytes = await buffer(store.openRange(key, 0, 100_000))
    expect(bytes.equals(Buffer.alloc(100_000, Number(key)))).toBe(true)
  }
})

test('a range is read from its start up to, not with, its end', async () => {
  const bytes = randomBytes(1_000_000)
  await storeFile(9n, bytes)
  for (const [start, end] of [
    [0, 1],
    [44, 700_001],
    [999_999, 1_000_000],
    [0, 1_000_000],
  ] as const) {
    expect((await buffer(store.openRange(9n, start, end))).equals(bytes.subarray(start, end))).toBe(true)
  }
})

test('an empty range is refused, and one of a missing file fails with ENOENT', async () => {
  expect(() => store.openRange(9n, 5, 5)).toThrow(RangeError)
  await expect(buffer(store.openRange(9n, 0, 5))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a file is removed by its key or its name; a missing one is no error and has no size', async () => {
  await storeFile(1n, Buffer.from('one'))
  await storeFile(2n, Buffer.from('two'))
  await store.remove(1n)
  await store.remove(1n)
  await store.removeFile('2.wav')
  await store.removeFile('2.wav')
  expect(await readdir(dir)).toEqual([])
  expect(await store.size(1n)).toBeUndefined()
})

test('the list tells drafts, stored files and foreign ones apart, and passes over folders', async () => {
  await storeFile(9_223_372_036_854_775_807n, Buffer.from('last'))
  const draft = await store.createDraft()
  await draft.write(Buffer.from('half'))
  for (const name of ['notes.txt', '007.wav', '-1.wav', '5.wav.bak']) await writeFile(join(dir, name), 'x')
  await mkdir(join(dir, 'lost+found'))
  const files = await store.list()
  await draft.discard()

  const known = files.filter(({ key, temporary }) => key !== undefined || temporary)
  expect(known).toHaveLength(2)
  expect(known).toContainEqual(
    expect.objectContaining({ key: 9_223_372_036_854_775_807n, temporary: false, bytes: 4 }),
  )
  expect(known).toContainEqual(expect.objectContaining({ key: undefined, temporary: true, bytes: 4 }))
  expect(files).toHaveLength(6)
})

test('the list tells when a file was last written to', async () => {
  await storeFile(3n, Buffer.from('old'))
  const when = new Date('2020-02-02T02:02:02Z')
  await utimes(join(dir, '3.wav'), when, when)
  expect((await store.list()).map(({ modifiedAt }) => modifiedAt)).toEqual([when])
})

test('the free space is that of the file system, for ordinary users', async () => {
  const { bavail, blocks, bsize } = await statfs(dir)
  expect(await store.freeBytes()).toBeGreaterThan(0.5 * bavail * bsize)
  expect(await store.freeBytes()).toBeLessThanOrEqual(blocks * bsize)
})

test('the check leaves nothing behind, and fails where the folder is gone', async () => {
  await store.check()
  expect(await readdir(dir)).toEqual([])
  await rm(dir, { recursive: true })
  await expect(store.check()).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(store.createDraft()).rejects.toMatchObject({ code: 'ENOENT' })
})
