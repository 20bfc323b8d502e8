/** Lets root start PostgreSQL, which refuses to run as root: in a user namespace, or else as an account of its own. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, chown, cp, mkdir, rename, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { PostgresBinaries } from './postgres-binaries.ts'

const run = promisify(execFile)

/** How and where the server runs. */
export interface ServerAccount {
  readonly binaries: PostgresBinaries
  /** Holds the cluster; only the account may look into it. */
  readonly folder: string
  /** Set before the command itself. */
  readonly prefix: readonly string[]
  readonly uid?: number
  readonly gid?: number
}

/** Where an account of its own keeps what it must reach; others' homes are closed to it. */
const ACCOUNT_HOME = '/var/lib/wavemill'
const ACCOUNT_NAME = 'wavemill'
const USER_NAMESPACE = ['unshare', '-U', '--map-user=1000', '--map-group=1000']

/**
 * For an ordinary user: the folder and the binaries as they are. For root on Linux the same in a user namespace (inside it the
 * server is user 1000, outside its files stay root's); where those are forbidden, a system account `wavemill` is made, and
 * the binaries and the data lie below /var/lib/wavemill.
 *
 * @param folder is made if it does not exist.
 * @throws Error with a sentence for the user.
 */
export async function chooseServerAccount(
  folder: string,
  binaries: PostgresBinaries,
  isRoot: boolean = process.getuid?.() === 0,
): Promise<ServerAccount> {
  if (!isRoot || (await canUnshare())) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return { folder, binaries, prefix: isRoot ? USER_NAMESPACE : [] }
  }
  return await useSystemAccount(folder, binaries)
}

async function canUnshare(): Promise<boolean> {
  const [command = '', ...args] = [...USER_NAMESPACE, 'true']
  return await run(command, args).then(
    () => true,
    () => false,
  )
}

/** @param folder names the installation; nothing is written there. */
export async function useSystemAccount(folder: string, binaries: PostgresBinaries): Promise<ServerAccount> {
  const { uid, gid } = await ensureSystemAccount()
  const installation = createHash('sha256').update(folder).digest('hex').slice(0, 12)
  const home = join(ACCOUNT_HOME, installation)
  await mkdir(home, { recursive: true, mode: 0o711 })
  const native = dirname(dirname(binaries.postgres))
  const copy = join(ACCOUNT_HOME, `postgres-${await versionOf(native)}`)
  if (!(await exists(copy))) {
    const unfinished = `${copy}.${process.pid}`
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true })
    await chmod(unfinished, 0o755)
    await rename(unfinished, copy)
  }
  const cluster = join(home, 'data')
  await mkdir(cluster, { recursive: true, mode: 0o700 })
  await chown(cluster, uid, gid)
  const moved = (binary: string) => join(copy, 'bin', basename(binary))
  return {
    folder: cluster,
    binaries: { initdb: moved(binaries.initdb), postgres: moved(binaries.postgres) },
    prefix: [],
    uid,
    gid,
  }
}

async function ensureSystemAccount(): Promise<{ uid: number; gid: number }> {
  const idOf = async (option: string) => Number((await run('id', [option, ACCOUNT_NAME])).stdout)
  try {
    return { uid: await idOf('-u'), gid: await idOf('-g') }
  } catch {
    // not there yet
  }
  try {
    await run('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', ACCOUNT_NAME])
    return { uid: await idOf('-u'), gid: await idOf('-g') }
  } catch (cause) {
    throw new Error(
      'PostgreSQL does not run as root, user namespaces are forbidden here, and no system account could be made: ' +
        'start Wavemill as an ordinary user, or set DATABASE_URL.',
      { cause },
    )
  }
}

/** Tells one copy of the binaries from another. */
async function versionOf(native: string): Promise<string> {
  const { size, mtimeMs } = await stat(join(native, 'bin', 'postgres'))
  return createHash('sha256').update(`${size} ${mtimeMs}`).digest('hex').slice(0, 12)
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}
