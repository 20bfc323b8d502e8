/** A Redis of a measurement's own, on a free port of 127.0.0.1, as a queue needs it. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './service.ts'
import { hasEnded, spawnInSession } from './session.ts'

export interface RedisServer {
  readonly url: string
  stop(): Promise<void>
}

/**
 * Starts a Redis that writes to `folder` as compose's does, and waits until it listens.
 *
 * @returns undefined where there is no redis-server.
 */
export async function startRedisServer(folder: string): Promise<RedisServer | undefined> {
  const port = await freePort()
  const address = ['--bind', '127.0.0.1', '--port', String(port)]
  const keeping = ['--dir', folder, '--appendonly', 'yes', '--maxmemory-policy', 'noeviction']
  const child = spawnInSession('redis-server', [...address, ...keeping], { stdio: 'ignore' })
  const isThere = await once(child, 'spawn').then(
    () => true,
    () => false,
  )
  if (!isThere) return undefined

  while (!(await isListening(port))) {
    if (hasEnded(child)) throw new Error(`redis-server ended with ${child.exitCode ?? child.signalCode}`)
    await sleep(20)
  }
  const stop = async () => {
    if (child.kill('SIGTERM')) await once(child, 'exit')
  }
  return { url: `redis://127.0.0.1:${port}`, stop }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
