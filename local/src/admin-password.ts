/** The dashboard's password where the settings name none: made at the first start and kept in the data folder. */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** @returns the password, and whether it was made just now: only then it is shown. */
export async function ensureAdminPassword(dataDir: string): Promise<{ password: string; isNew: boolean }> {
  const path = join(dataDir, 'admin-password')
  const kept = (await readFile(path, 'utf8').catch(() => '')).trim()
  if (kept !== '') return { password: kept, isNew: false }
  const password = randomBytes(12).toString('base64url')
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  await writeFile(path, `${password}\n`, { mode: 0o600 })
  return { password, isNew: true }
}
