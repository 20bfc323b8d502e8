/** What lies where in DATA_DIR, and the secrets that are made at the first start and kept there. */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

export interface DataFolder {
  readonly path: string
  /** The embedded database; a link where the account that runs it cannot reach the data folder. */
  readonly postgres: string
  readonly postgresLog: string
  readonly postgresPassword: string
  /** Written at each start, for people and for `npm run books`. */
  readonly databaseUrl: string
  readonly adminPassword: string
}

/** Makes the folder if need be. Others may pass through it, where its parents let them, but not list it. */
export async function openDataFolder(path: string): Promise<DataFolder> {
  await mkdir(path, { recursive: true, mode: 0o711 })
  return {
    path,
    postgres: join(path, 'postgres'),
    postgresLog: join(path, 'postgres.log'),
    postgresPassword: join(path, 'postgres-password'),
    databaseUrl: join(path, 'database-url'),
    adminPassword: join(path, 'admin-password'),
  }
}

/** Reads the secret kept in `path`, or makes one there that only its owner may read. */
export async function keepSecret(path: string): Promise<{ secret: string; isNew: boolean }> {
  const kept = await readIfThere(path)
  if (kept !== undefined && kept !== '') return { secret: kept, isNew: false }
  const secret = randomBytes(18).toString('base64url')
  await writePrivately(path, secret)
  return { secret, isNew: true }
}

/** The file's text without its line end, or undefined if there is no file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trimEnd()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Replaces the file as a whole: whoever reads it, also after a crash, sees the old text or the new. */
export async function writePrivately(path: string, text: string): Promise<void> {
  const draft = `${path}.new`
  await rm(draft, { force: true })
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${text}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}
