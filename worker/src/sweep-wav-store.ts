/** Removes the files of the WAV store that no record needs: cut uploads, and what a crash left of finished recordings. */
import type { StoredFile } from '@wavemill/core/wav-store'
import { keysDoneWithWav, keysInNeedOfWav } from '@wavemill/prisma/reconcile'
import type { WorkerTools } from './worker-tools.ts'

// An upload to which nothing was written for so long is over: the API cuts a stalled one before that.
const TEMPORARY_MS = 2 * 60_000
// A file gets its record's key before the record gets its row, and whether that was committed may be unknown for a while.
const NAMED_MS = 60 * 60_000

/** Files whose names are not ours are left alone. */
export async function sweepWavStore({ db, wavStore, log }: WorkerTools): Promise<void> {
  const files = await wavStore.list()
  for (const { name, modifiedAt } of files.filter((file) => file.temporary)) {
    if (ageMs(modifiedAt) < TEMPORARY_MS) continue
    log.info({ file: name }, 'What a cut upload left is removed')
    await wavStore.removeFile(name)
  }
  const named = files.filter(hasKey)
  const done = await keysDoneWithWav(
    db,
    named.map(({ key }) => key),
  )
  for (const { name, key, modifiedAt } of named) {
    if (!done.has(key) && (ageMs(modifiedAt) < NAMED_MS || (await keysInNeedOfWav(db, [key])).has(key)))
      continue
    log.info({ file: name }, 'A WAV that no record needs is removed')
    await wavStore.removeFile(name)
  }
}

function hasKey(file: StoredFile): file is StoredFile & { readonly key: bigint } {
  return file.key !== undefined
}

function ageMs(modifiedAt: Date): number {
  return Date.now() - modifiedAt.getTime()
}
