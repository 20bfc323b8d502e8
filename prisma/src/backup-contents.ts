/** What a backup consists of: the names of its entries, what the first and the last of them say, and the digest over all. */
import { createHash } from 'node:crypto'
import type { ArchiveEntry } from './backup-archive.ts'
import { BackupError, damaged } from './backup-error.ts'

/** The first entry. */
export const MANIFEST = 'manifest.json'
/** The last entry: without it the backup is cut off. */
export const END = 'end.json'

const FORMAT = 'wavemill-backup-1'
const MAX_JSON_BYTES = 1_048_576

export interface Manifest {
  /** Names of the migrations whose schema the rows have. */
  readonly migrations: readonly string[]
  /** ISO 8601: what was true then is in it. */
  readonly madeAt: string
  /** The last key that a record was given: it must not be given again. */
  readonly lastRecordKey: string
}

export interface BackupCounts {
  /** Of each table. */
  readonly rows: Readonly<Record<string, number>>
  readonly wavs: number
}

export interface End extends BackupCounts {
  /** Over the names, sizes and contents of all entries before it; in hexadecimal. */
  readonly sha256: string
}

export function manifestEntry(manifest: Manifest): ArchiveEntry {
  return jsonEntry(MANIFEST, { format: FORMAT, ...manifest })
}

export function endEntry(end: End): ArchiveEntry {
  return jsonEntry(END, end)
}

/** A part of a table: bytes of `COPY ... (FORMAT binary)`, which go on in the next entry of the table. */
export function rowsEntry(table: string, part: number, content: readonly Uint8Array[]): ArchiveEntry {
  const size = content.reduce((sum, { byteLength }) => sum + byteLength, 0)
  return { name: `rows/${table}/${part}`, size, content }
}

/** The WAV of a recording that waits. */
export function wavEntry(key: bigint, size: number, content: AsyncIterable<Uint8Array>): ArchiveEntry {
  return { name: `wav/${key}.wav`, size, content }
}

/** @throws BackupError where the name is none that a backup has between its manifest and its end. */
export function parseEntryName(name: string): { table: string } | { wavKey: bigint } {
  const key = /^wav\/([1-9]\d{0,18})\.wav$/.exec(name)?.[1]
  if (key !== undefined) return { wavKey: BigInt(key) }
  const table = /^rows\/([a-z_]{1,63})\/\d+$/.exec(name)?.[1]
  if (table === undefined) throw damaged(`it has an entry ${JSON.stringify(name)}`)
  return { table }
}

/** @throws BackupError if it is no manifest, or one of another format. */
export async function readManifest({ content, size }: ArchiveEntry): Promise<Manifest> {
  const value = await readJson(content, size)
  const { format, migrations, madeAt, lastRecordKey } = value
  if (format !== FORMAT) {
    throw new BackupError(
      `The backup's format is ${JSON.stringify(format)}; this version reads ${FORMAT} only`,
    )
  }
  if (!isTextList(migrations) || typeof madeAt !== 'string' || !isDigits(lastRecordKey)) {
    throw damaged('its manifest lacks something')
  }
  return { migrations, madeAt, lastRecordKey }
}

/** @throws BackupError if it is no end. */
export async function readEnd({ content, size }: ArchiveEntry): Promise<End> {
  const { sha256, rows, wavs } = await readJson(content, size)
  if (typeof sha256 !== 'string' || typeof wavs !== 'number' || !isCounts(rows)) {
    throw damaged('its end lacks something')
  }
  return { sha256, rows, wavs }
}

export interface ArchiveDigest {
  /** The same entry; what is read of it is digested. One at a time. */
  over(entry: ArchiveEntry): ArchiveEntry
  hex(): string
}

export function createArchiveDigest(): ArchiveDigest {
  const hash = createHash('sha256')
  async function* hashed(content: ArchiveEntry['content']): AsyncGenerator<Uint8Array> {
    for await (const bytes of content) {
      hash.update(bytes)
      yield bytes
    }
  }
  return {
    over({ name, size, content }) {
      hash.update(`${name} ${size}\n`)
      return { name, size, content: hashed(content) }
    },
    hex: () => hash.digest('hex'),
  }
}

function jsonEntry(name: string, value: object): ArchiveEntry {
  const bytes = Buffer.from(`${JSON.stringify(value, null, 2)}\n`)
  return { name, size: bytes.byteLength, content: [bytes] }
}

async function readJson(content: ArchiveEntry['content'], size: number): Promise<Record<string, unknown>> {
  if (size > MAX_JSON_BYTES) throw damaged('its manifest or end is too large')
  const parts: Uint8Array[] = []
  for await (const bytes of content) parts.push(bytes)
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString())
    if (isObject(value)) return value
  } catch (error) {
    throw damaged('its manifest or end cannot be read', error)
  }
  throw damaged('its manifest or end says nothing')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isDigits(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,19}$/.test(value)
}

function isCounts(value: unknown): value is BackupCounts['rows'] {
  return isObject(value) && Object.values(value).every((count) => typeof count === 'number')
}
