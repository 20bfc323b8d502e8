/** Says that a data folder is in use: a socket named after it, which the system closes when its process ends, however. */
import { once } from 'node:events'
import { rm, stat } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface DataFolderLock {
  release(): Promise<void>
}

/**
 * A file with a process id in it would outlive a kill -9, and the id may be somebody else's by then; an advisory lock in
 * the database is gone whenever the database is.
 *
 * @returns undefined if another process of this machine holds the folder.
 */
export async function lockDataFolder(path: string): Promise<DataFolderLock | undefined> {
  const { dev, ino } = await stat(path)
  const name = `wavemill-${dev}-${ino}`
  if (process.platform === 'linux') return listenAt(`\0${name}`) // in the abstract namespace: no file is left behind
  const file = join(tmpdir(), `${name}.sock`)
  const lock = await listenAt(file)
  if (lock !== undefined || (await isAnswered(file))) return lock
  await rm(file, { force: true })
  return listenAt(file)
}

async function listenAt(path: string): Promise<DataFolderLock | undefined> {
  const server = createServer((socket) => socket.destroy())
  server.listen(path)
  try {
    await once(server, 'listening')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined
    throw error
  }
  server.unref()
  return {
    async release() {
      server.close()
      await once(server, 'close')
    },
  }
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
