/** A file that the event loop keeps fresh, for the container's health check. */
import { constants } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const INTERVAL_MS = 5_000
const STALE_MS = 20_000
const defaultPath = join(tmpdir(), 'wavemill-worker.heartbeat')

/** Writes the time now and every five seconds. @returns a function that ends it. */
export function startHeartbeat(onError: (error: unknown) => void, path = defaultPath): () => Promise<void> {
  // Never through a link that somebody else put there: the folder is everybody's.
  const flag = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW
  const beat = () => writeFile(path, String(Date.now()), { flag, mode: 0o600 }).catch(onError)
  let last = beat()
  const timer = setInterval(() => {
    last = beat()
  }, INTERVAL_MS)
  return async () => {
    clearInterval(timer)
    await last
    await rm(path, { force: true }).catch(onError)
  }
}

/** True if a worker wrote its heartbeat within the last twenty seconds. */
export async function isBeating(path = defaultPath): Promise<boolean> {
  const writtenAt = Number(await readFile(path, 'utf8').catch(() => ''))
  return Date.now() - writtenAt < STALE_MS
}
