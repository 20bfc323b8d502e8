/** Puts PostgreSQL's programs and data where another account, which runs it for root, can reach them. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chown, cp, mkdir, mkdtemp, realpath, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@wavemill/core/log'
import type { PostgresAccount } from './postgres-account.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'

/** Root's folder, through which everybody may pass. */
const SHARED_FOLDER = '/var/lib/wavemill'

/** The programs where they are, or a copy of them if the account cannot run them there (a home closed to others). */
export async function reachableBinaries(
  binaries: PostgresBinaries,
  account: PostgresAccount,
  log: Log,
): Promise<PostgresBinaries> {
  if (account.other === undefined || canRun(binaries.postgres, account)) return binaries
  const version = createHash('sha256').update(binaries.root).digest('hex').slice(0, 12)
  const root = join(SHARED_FOLDER, `programs-${version}`)
  const copy = { postgres: join(root, 'bin/postgres'), initdb: join(root, 'bin/initdb'), root }
  if (canRun(copy.postgres, account)) return copy
  await rm(root, { recursive: true, force: true })
  await mkdir(SHARED_FOLDER, { recursive: true, mode: 0o755 })
  await cp(binaries.root, `${root}.new`, { recursive: true, verbatimSymlinks: true })
  await rename(`${root}.new`, root)
  log.warn({ folder: root }, 'PostgreSQL runs as another account than root, from a copy that it can reach')
  return copy
}

/**
 * Makes an empty folder for a new database, owned by the account. Where the account cannot reach it, it is made elsewhere,
 * and `path` becomes a link to it.
 *
 * @returns the folder's own path. What was there before is removed.
 */
export async function makeDatabaseFolder(path: string, account: PostgresAccount, log: Log): Promise<string> {
  for (const old of [await realpath(path).catch(() => path), path])
    await rm(old, { recursive: true, force: true })
  await mkdir(path, { mode: 0o700 })
  if (account.other === undefined) return path
  const { uid, gid } = account.other
  await chown(path, uid, gid)
  if (canRun('/bin/sh', account, ['-c', 'cd "$0"', path])) return path

  await mkdir(SHARED_FOLDER, { recursive: true, mode: 0o755 })
  const reachable = await mkdtemp(join(SHARED_FOLDER, 'database-'))
  await chown(reachable, uid, gid)
  await rm(path, { recursive: true })
  await symlink(reachable, path)
  log.warn({ folder: reachable }, 'The database lies in a folder that the account which runs it can reach')
  return reachable
}

function canRun(file: string, account: PostgresAccount, args: readonly string[] = ['--version']): boolean {
  return spawnSync(file, args, account.options).status === 0
}
