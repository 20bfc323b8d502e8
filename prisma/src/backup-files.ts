/** Backups as files, for the commands: to and from a path, or standard output and input where the path is `-`. */
import { createWriteStream, existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { stdin, stdout } from 'node:process'
import type { Log } from '@wavemill/core/log'
import { syncFolder } from '@wavemill/core/sync-folder'
import { createWavStore } from '@wavemill/core/wav-store'
import { takeBackup } from './backup.ts'
import { readArchive, writeArchive } from './backup-archive.ts'
import type { BackupCounts } from './backup-contents.ts'
import { BackupError } from './backup-error.ts'
import { migrateDatabase } from './migrate.ts'
import { restoreBackup } from './restore.ts'

export interface BackupFileOptions {
  /** A path, or `-`. */
  readonly file: string
  readonly url: string
  readonly wavDir: string
  readonly log: Log
  /** Is given lines for people. */
  print(line: string): void
}

/** The file is there only when the backup is whole; it holds what opens every recording, so only its owner may read it. */
export async function backUpTo({ file, url, wavDir, log, print }: BackupFileOptions): Promise<void> {
  const wavStore = await createWavStore(wavDir)
  const { lostWavs, ...counts } = await takeBackup({ url, wavStore, log }, (entries) =>
    file === '-' ? writeArchive(entries, stdout) : writeWholeFile(file, entries),
  )
  for (const key of lostWavs)
    print(`Record ${key} waits, and its WAV was gone before: it is not in the backup.`)
  print(`Backed up: ${summarize(counts)}.`)
}

/** Migrates the database first: a new one has no tables yet. */
export async function restoreFrom({ file, url, wavDir, log, print }: BackupFileOptions): Promise<void> {
  await migrateDatabase(url, log)
  const wavStore = await createWavStore(wavDir)
  const input = file === '-' ? stdin : (await open(file)).createReadStream({ highWaterMark: 256 * 1024 })
  const counts = await restoreBackup({ url, wavStore, log }, readArchive(input))
  print(`Restored: ${summarize(counts)}.`)
}

async function writeWholeFile(path: string, entries: Parameters<typeof writeArchive>[0]): Promise<void> {
  if (existsSync(path)) throw new BackupError(`${path} is there already`)
  const draft = `${path}.part`
  try {
    await writeArchive(entries, createWriteStream(draft, { mode: 0o600, flush: true }))
    await rename(draft, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

function summarize({ rows, wavs }: BackupCounts): string {
  const { user = 0, record = 0 } = rows
  return `${user} users and ${record} recordings, of which ${wavs} wait, with their WAVs`
}
