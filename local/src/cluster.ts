/** Makes the embedded database's cluster: once, and whole or not at all. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chown, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { ServerAccount } from './unprivileged.ts'

export const DATABASE = 'wavemill'
export const DATABASE_USER = 'wavemill'

export interface Cluster {
  readonly path: string
  readonly password: string
}

/** The address of the database in a cluster whose server listens on `port`. */
export function clusterUrl({ password }: Cluster, port: number): string {
  return `postgres://${DATABASE_USER}:${password}@127.0.0.1:${port}/${DATABASE}`
}

/** @returns undefined if none was made in this folder yet. */
export async function findCluster(folder: string): Promise<Cluster | undefined> {
  const path = join(folder, 'cluster')
  const isMade = await stat(join(path, 'PG_VERSION')).then(
    () => true,
    () => false,
  )
  if (!isMade) return undefined
  return { path, password: (await readFile(join(folder, 'password'), 'utf8')).trim() }
}

/**
 * Runs initdb beside the place where the cluster will be and moves it there when it is whole: a start that was killed in the
 * middle leaves nothing that the next one would take for a database.
 *
 * @throws Error with what initdb said.
 */
export async function createCluster(account: ServerAccount): Promise<Cluster> {
  const { folder, binaries } = account
  const password = randomBytes(24).toString('hex')
  const passwordFile = join(folder, 'password')
  await rm(passwordFile, { force: true })
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  if (account.uid !== undefined && account.gid !== undefined) {
    await chown(passwordFile, account.uid, account.gid)
  }
  const unfinished = join(folder, 'cluster.new')
  await rm(unfinished, { recursive: true, force: true })
  const login = ['-U', DATABASE_USER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`]
  const locale = ['-E', 'UTF8', '--no-locale', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  await runTool(account, binaries.initdb, ['-D', unfinished, ...login, ...locale])
  const singleUser = ['--single', '-D', unfinished, 'postgres']
  await runTool(account, binaries.postgres, singleUser, `CREATE DATABASE ${DATABASE}\n`)
  const path = join(folder, 'cluster')
  await rename(unfinished, path)
  return { path, password }
}

async function runTool(account: ServerAccount, tool: string, args: string[], input = ''): Promise<void> {
  const { command, args: all, options } = commandFor(account, tool, args)
  const child = spawn(command, all, { ...options, stdio: ['pipe', 'ignore', 'pipe'] })
  child.stdin.on('error', () => {}) // it may end before it has read
  child.stdin.end(input)
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
  if (code !== 0) throw new Error(`${tool} ended with ${String(code)}: ${said.trim()}`)
}

/** How a binary of PostgreSQL is started under an account. */
export function commandFor({ prefix, uid, gid, folder }: ServerAccount, binary: string, args: string[]) {
  const [command = binary, ...rest] = [...prefix, binary, ...args]
  const options = { cwd: folder, ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) }
  return { command, args: rest, options }
}
