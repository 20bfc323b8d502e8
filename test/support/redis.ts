/** A Redis of a test's own: a real redis-server on a free port that keeps nothing on disk. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { freePort } from './ports.ts'

export interface TestRedis {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Resolves when it has ended, however. */
  readonly exited: Promise<unknown>
  stop(): Promise<void>
}

/** Starts a server that answers by the time this resolves. */
export async function startRedis(port?: number): Promise<TestRedis> {
  const usedPort = port ?? (await freePort())
  const args = ['--port', String(usedPort), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn('redis-server', [...args, '--maxmemory-policy', 'noeviction'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(server, 'exit')
  let said = ''
  for await (const text of server.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += text
    if (said.includes('Ready to accept connections')) break
  }
  if (server.pid === undefined || server.exitCode !== null)
    throw new Error(`redis-server did not start: ${said}`)
  server.stdout.resume() // a full pipe would stop it
  return {
    url: `redis://127.0.0.1:${usedPort}`,
    port: usedPort,
    pid: server.pid,
    exited,
    async stop() {
      server.kill('SIGKILL') // it has nothing to save, and a stopped one would not hear a SIGTERM
      await exited
    },
  }
}
