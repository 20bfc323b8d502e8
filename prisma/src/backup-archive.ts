/** A backup as a file: a tar archive, written and read as a stream of entries, so that nothing holds more than a piece of one. */
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describeError } from '@wavemill/core/quiet-errors'
import { extract, pack } from 'tar-stream'
import { BackupError } from './backup-error.ts'

export interface ArchiveEntry {
  readonly name: string
  /** Bytes of its content. */
  readonly size: number
  readonly content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

/**
 * Writes the entries and ends `out`. However it ends, `entries` was given the chance to close what it holds.
 *
 * @throws what `entries` or `out` fails with.
 */
export async function writeArchive(entries: AsyncIterable<ArchiveEntry>, out: Writable): Promise<void> {
  const archive = pack()
  const packing = packAll(entries, archive).catch((error) => {
    archive.destroy(error)
    throw error
  })
  const [written, packed] = await Promise.allSettled([pipeline(archive, out), packing])
  // A disk that is full is the reason, and that nothing could be packed any more its echo.
  if (written.status === 'rejected') throw written.reason
  if (packed.status === 'rejected') throw packed.reason
}

async function packAll(
  entries: AsyncIterable<ArchiveEntry>,
  archive: ReturnType<typeof pack>,
): Promise<void> {
  for await (const { name, size, content } of entries) {
    await pipeline(content, archive.entry({ name, size, mode: 0o600 }))
  }
  archive.finalize()
}

/**
 * The entries in the order in which they were written. The content of each must be read before the next is asked for.
 *
 * @throws BackupError if the archive is cut off, or is none; or what `input` fails with.
 */
export async function* readArchive(input: Readable): AsyncGenerator<ArchiveEntry> {
  const archive = extract()
  // What goes wrong with either is told by the loop.
  pipeline(input, archive).catch(() => undefined)
  for await (const entry of plainly(archive)) {
    yield { name: entry.header.name, size: entry.header.size ?? 0, content: bytesOf(entry) }
  }
}

/** Errors of the format become a sentence; those of the system, such as a disk that cannot be read, stay what they are. */
async function* plainly<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error
    throw new BackupError(`The backup is cut off, damaged, or none (${describeError(error)})`, {
      cause: error,
    })
  }
}

async function* bytesOf(entry: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const bytes of plainly(entry)) {
    if (bytes instanceof Uint8Array) yield bytes // tar-stream's types do not say that it is nothing else
  }
}
