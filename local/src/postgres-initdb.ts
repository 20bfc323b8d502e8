/** Makes a new, empty database; a crash in the middle leaves nothing that passes for one. */
import { spawn } from 'node:child_process'
import { chown, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from '@wavemill/core/log'
import { endOf } from './ended.ts'
import type { PostgresAccount } from './postgres-account.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { makeDatabaseFolder } from './postgres-place.ts'

export interface NewDatabase {
  readonly user: string
  readonly password: string
  readonly binaries: PostgresBinaries
  readonly account: PostgresAccount
  readonly log: Log
}

/** @throws Error with what initdb printed. */
export async function makeDatabase(dataPath: string, database: NewDatabase): Promise<void> {
  const draft = `${dataPath}.new`
  const folder = await makeDatabaseFolder(draft, database.account, database.log)
  await withPasswordFile(database, (passwordFile) => runInitdb(folder, passwordFile, database))
  await rename(draft, dataPath)
}

async function runInitdb(path: string, passwordFile: string, { user, binaries, account }: NewDatabase) {
  const [file, args] = account.command(binaries.initdb, [
    `--pgdata=${path}`,
    `--username=${user}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The same order and the same messages whatever the machine's language is.
    '--locale=C',
    '--no-instructions',
  ])
  const child = spawn(file, args, { ...account.options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const end = await endOf(child)
  if (end !== 'code 0') throw new Error(`The database could not be made (initdb: ${end}): ${output.trim()}`)
}

/** A file that the account, and nobody else, can read. */
async function withPasswordFile({ password, account }: NewDatabase, work: (path: string) => Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), 'wavemill-initdb-'))
  try {
    const path = join(folder, 'password')
    await writeFile(path, password, { mode: 0o600 })
    if (account.other !== undefined) {
      await chown(path, account.other.uid, account.other.gid)
      await chown(folder, account.other.uid, account.other.gid)
    }
    await work(path)
  } finally {
    await rm(folder, { recursive: true })
  }
}
