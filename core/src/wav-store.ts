/** The folder of WAVs that wait to be transcoded: durable writes, ranged reads, nothing left behind. */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { createDraft } from './wav-draft.ts'

/** A file of the store, as the reconciler and the books see it. */
export interface StoredFile {
  readonly name: string
  /** The record that it belongs to; undefined for a temporary one, or one that is no file of ours. */
  readonly key: bigint | undefined
  readonly temporary: boolean
  readonly bytes: number
  readonly modifiedAt: Date
}

/** An upload under way. Exactly one of `commit` and `discard` ends it. */
export interface WavDraft {
  /** Bytes taken so far. */
  readonly bytes: number
  /**
   * Appends; the bytes are written together with others. Resolves when there is room for more, so that awaiting it is
   * back-pressure; rejects also if an earlier write failed.
   */
  write(bytes: Uint8Array): Promise<void>
  /**
   * Makes the file durable under its record's key: fsync, rename, fsync of the folder.
   * Only after this resolves may the record's row be written.
   */
  commit(key: bigint): Promise<void>
  /** Removes what was written, also after a `commit` that failed; does nothing after one that did not. */
  discard(): Promise<void>
}

export interface WavStore {
  readonly dir: string
  createDraft(): Promise<WavDraft>
  /** Where the record's WAV lies or would lie, for a program that reads it by itself. */
  pathOf(key: bigint): string
  /** A stream of the bytes [start, end) of the record's WAV. It fails with ENOENT if the file is gone. */
  openRange(key: bigint, start: number, end: number): Readable
  /** Size in bytes, or undefined if there is no such file. */
  size(key: bigint): Promise<number | undefined>
  /** Removes the record's WAV; a missing one is no error. */
  remove(key: bigint): Promise<void>
  /** Removes a file by the name that {@link WavStore.list} gave; a missing one is no error. */
  removeFile(name: string): Promise<void>
  /** The files in the store; folders, such as a volume's `lost+found`, are none. */
  list(): Promise<StoredFile[]>
  /** Bytes that are free for us on the store's file system. */
  freeBytes(): Promise<number>
  /** Writes, syncs and removes a small file: rejects where the store cannot take an upload. */
  check(): Promise<void>
}

/** @param dir is made if it does not exist. Opens nothing else. */
export async function createWavStore(dir: string): Promise<WavStore> {
  await mkdir(dir, { recursive: true, mode: 0o750 })
  const pathOf = (key: bigint) => join(dir, `${key}.wav`)

  return {
    dir,
    pathOf,
    createDraft: () => createDraft(temporaryPath(dir), pathOf),
    openRange(key, start, end) {
      if (end <= start) throw new RangeError(`empty range ${start}..${end}`)
      return createReadStream(pathOf(key), { start, end: end - 1, highWaterMark: 256 * 1024 })
    },
    size: (key) => sizeOf(pathOf(key)),
    remove: (key) => rm(pathOf(key), { force: true }),
    removeFile: (name) => rm(join(dir, name), { force: true }),
    list: () => listFiles(dir),
    async freeBytes() {
      const { bavail, bsize } = await statfs(dir)
      return bavail * bsize
    },
    check: () => writeAndRemove(temporaryPath(dir)),
  }
}

async function writeAndRemove(path: string): Promise<void> {
  const handle = await open(path, 'wx', 0o640)
  try {
    await handle.writeFile('check')
    await handle.sync()
  } finally {
    await handle.close()
    await rm(path, { force: true })
  }
}

const TEMPORARY_END = '.part'

function temporaryPath(dir: string): string {
  return join(dir, `${randomUUID()}${TEMPORARY_END}`)
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function listFiles(dir: string): Promise<StoredFile[]> {
  const files: StoredFile[] = []
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (!entry.isFile()) continue
    const { name } = entry
    try {
      const { size, mtime } = await stat(join(dir, name))
      const temporary = name.endsWith(TEMPORARY_END)
      files.push({ name, key: keyOf(name), temporary, bytes: size, modifiedAt: mtime })
    } catch (error) {
      if (!isMissing(error)) throw error // removed between the listing and the look
    }
  }
  return files
}

function keyOf(name: string): bigint | undefined {
  const digits = /^([1-9]\d{0,18})\.wav$/.exec(name)?.[1]
  return digits === undefined ? undefined : BigInt(digits)
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
