/** The folder of WAVs that wait to be transcoded: durable writes, ranged reads, nothing left behind. */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

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
  /** Bytes written so far. */
  readonly bytes: number
  /** Appends; resolves when the bytes are handed to the file system, so that awaiting it is back-pressure. */
  write(bytes: Uint8Array): Promise<void>
  /**
   * Makes the file durable under its record's key: fsync, rename, fsync of the folder.
   * Only after this resolves may the record's row be written.
   */
  commit(key: bigint): Promise<void>
  /** Removes what was written; does nothing after `commit`. */
  discard(): Promise<void>
}

export interface WavStore {
  readonly dir: string
  createDraft(): Promise<WavDraft>
  /** A stream of the bytes [start, end) of the record's WAV. It fails with ENOENT if the file is gone. */
  openRange(key: bigint, start: number, end: number): Readable
  /** Size in bytes, or undefined if there is no such file. */
  size(key: bigint): Promise<number | undefined>
  /** Removes the record's WAV; a missing one is no error. */
  remove(key: bigint): Promise<void>
  removeFile(name: string): Promise<void>
  list(): Promise<StoredFile[]>
  /** Bytes that are free for us on the store's file system. */
  freeBytes(): Promise<number>
  /** Writes, syncs and removes a small file: throws where the store cannot take an upload. */
  check(): Promise<void>
}

/** @param dir is made if it does not exist. Opens nothing else. */
export async function createWavStore(dir: string): Promise<WavStore> {
  await mkdir(dir, { recursive: true, mode: 0o750 })
  const pathOf = (key: bigint) => join(dir, `${key}.wav`)

  return {
    dir,
    createDraft: () => createDraft(dir, pathOf),
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
    async check() {
      const draft = await createDraft(dir, pathOf)
      try {
        await draft.write(Buffer.from('check'))
      } finally {
        await draft.discard()
      }
    },
  }
}

async function createDraft(dir: string, pathOf: (key: bigint) => string): Promise<WavDraft> {
  const path = join(dir, `${randomUUID()}.part`)
  const handle = await open(path, 'wx', 0o640)
  let bytes = 0
  let isOpen = true
  let committed = false
  async function close(): Promise<void> {
    if (!isOpen) return
    isOpen = false
    await handle.close()
  }
  return {
    get bytes() {
      return bytes
    },
    async write(data) {
      await writeAll(handle, data)
      bytes += data.byteLength
    },
    async commit(key) {
      await handle.sync()
      await close()
      await rename(path, pathOf(key))
      committed = true
      await syncFolder(dir)
    },
    async discard() {
      await close()
      if (!committed) await rm(path, { force: true })
    },
  }
}

async function writeAll(handle: FileHandle, data: Uint8Array): Promise<void> {
  for (let written = 0; written < data.byteLength; ) {
    written += (await handle.write(data, written)).bytesWritten
  }
}

async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
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
  for (const name of await readdir(dir)) {
    const key = /^(\d{1,19})\.wav$/.exec(name)?.[1]
    try {
      const { size, mtime } = await stat(join(dir, name))
      files.push({
        name,
        key: key === undefined ? undefined : BigInt(key),
        temporary: name.endsWith('.part'),
        bytes: size,
        modifiedAt: mtime,
      })
    } catch (error) {
      if (!isMissing(error)) throw error // removed between the listing and the look
    }
  }
  return files
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
