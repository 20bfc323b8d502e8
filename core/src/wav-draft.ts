/** An upload on its way to the disk: its pieces are gathered for larger writes, and the whole is made durable. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder } from './sync-folder.ts'
import type { WavDraft } from './wav-store.ts'

/**
 * The network brings pieces of 32 KiB or less, and to write each by itself costs more than all else about an upload.
 * Larger ones than this leave the processor's cache before they are written, and cost more again.
 */
const BLOCK_BYTES = 128 * 1024
/** A slow upload writes each piece: the reconciler takes a file to which nothing is written for abandoned. */
const GATHERED_MS = 1_000

/**
 * @param temporaryPath must not exist.
 * @param pathOf where the file of a key belongs, in the same folder.
 */
export async function createDraft(temporaryPath: string, pathOf: (key: bigint) => string): Promise<WavDraft> {
  let path = temporaryPath
  const handle = await open(path, 'wx', 0o640)
  // One is filled while the other is written.
  let filling = Buffer.allocUnsafe(BLOCK_BYTES)
  let spare = Buffer.allocUnsafe(BLOCK_BYTES)
  let filled = 0
  let flushedAt = 0 // the first piece is written at once
  let writing: Promise<void> = Promise.resolve()
  let bytes = 0
  let isOpen = true
  let isCommitted = false

  async function flush(): Promise<void> {
    await writing
    writing = writeAll(handle, filling.subarray(0, filled))
    writing.catch(() => undefined) // thrown by the next flush, or the commit
    filled = 0
    flushedAt = Date.now()
    ;[filling, spare] = [spare, filling]
  }
  async function close(): Promise<void> {
    if (!isOpen) return
    isOpen = false
    await writing.catch(() => undefined)
    await handle.close()
  }
  return {
    get bytes() {
      return bytes
    },
    async write(data) {
      if (!isOpen) throw new Error('This draft has ended')
      for (let taken = 0; taken < data.byteLength; ) {
        const part = data.subarray(taken, taken + BLOCK_BYTES - filled)
        filling.set(part, filled)
        filled += part.byteLength
        taken += part.byteLength
        if (filled === BLOCK_BYTES) await flush()
      }
      bytes += data.byteLength
      if (Date.now() - flushedAt >= GATHERED_MS) await flush()
    },
    async commit(key) {
      await flush()
      await writing
      await handle.sync()
      await close()
      await rename(path, pathOf(key))
      path = pathOf(key)
      await syncFolder(dirname(path))
      isCommitted = true
    },
    async discard() {
      if (isCommitted) return
      try {
        await close()
      } finally {
        await rm(path, { force: true })
      }
    },
  }
}

async function writeAll(handle: FileHandle, data: Uint8Array): Promise<void> {
  for (let written = 0; written < data.byteLength; ) {
    written += (await handle.write(data, written)).bytesWritten
  }
}
