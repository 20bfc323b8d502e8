/** Decides under which account PostgreSQL runs, because it refuses to run as root. */
import { type SpawnOptions, spawnSync } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'

/** How a program is spawned so that PostgreSQL accepts the account. */
export interface PostgresAccount {
  /** The command line of `file` with `args`, to be spawned with `options`. */
  command(file: string, args: readonly string[]): [file: string, args: readonly string[]]
  readonly options: Pick<SpawnOptions, 'uid' | 'gid' | 'cwd'>
  /** Set where it is not the account of this process: it must be made the owner of its files, and reach them. */
  readonly other: { readonly uid: number; readonly gid: number } | undefined
}

const ACCOUNT_NAME = 'wavemill'

/**
 * An ordinary user runs it as itself. As root, in this order: as the owner of a database that is already there; as root's
 * own files seen from a user namespace in which root is somebody else, which needs no account and moves nothing;
 * as the account `wavemill`, which is made.
 *
 * @param dataPath the database's folder, which need not exist.
 * @throws Error with what to do, where none of it is possible.
 */
export async function choosePostgresAccount(dataPath: string): Promise<PostgresAccount> {
  if (process.getuid?.() !== 0) return own
  const owner = await ownerOf(dataPath)
  if (owner !== undefined && owner.uid !== 0) return otherAccount(owner)
  return (await namespaceAccount()) ?? otherAccount(makeAccount())
}

// The folder in which the service was started may be closed to the account.
const own: PostgresAccount = {
  command: (file, args) => [file, args],
  options: { cwd: '/' },
  other: undefined,
}

function otherAccount(other: { uid: number; gid: number }): PostgresAccount {
  return { command: own.command, options: { ...own.options, ...other }, other }
}

/** Root inside a user namespace: undefined where the system forbids it, as most containers do. */
async function namespaceAccount(): Promise<PostgresAccount | undefined> {
  const uid = await firstOrdinaryUid()
  if (process.platform !== 'linux' || uid === undefined) return undefined
  const prefix = ['--user', `--map-user=${uid}`, `--map-group=${uid}`]
  if (spawnSync('unshare', [...prefix, 'true']).status !== 0) return undefined
  return { ...own, command: (file, args) => ['unshare', [...prefix, file, ...args]] }
}

/** initdb refuses a user without a name, so any that has one will do; nothing of that account's is touched. */
async function firstOrdinaryUid(): Promise<number | undefined> {
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '')
  for (const line of accounts.split('\n')) {
    const uid = Number(line.split(':')[2])
    if (uid > 0) return uid
  }
  return undefined
}

function makeAccount(): { uid: number; gid: number } {
  const account = findAccount()
  if (account !== undefined) return account
  const options = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin']
  spawnSync('useradd', [...options, ACCOUNT_NAME])
  const made = findAccount()
  if (made !== undefined) return made
  throw new Error(
    'PostgreSQL refuses to run as root, and this system allows neither user namespaces nor a new account: ' +
      'start Wavemill as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own',
  )
}

function findAccount(): { uid: number; gid: number } | undefined {
  const id = (option: string) => spawnSync('id', [option, ACCOUNT_NAME], { encoding: 'utf8' })
  const [user, group] = [id('-u'), id('-g')]
  if (user.status !== 0 || group.status !== 0) return undefined
  return { uid: Number(user.stdout), gid: Number(group.stdout) }
}

async function ownerOf(path: string): Promise<{ uid: number; gid: number } | undefined> {
  return stat(path).catch(() => undefined)
}
