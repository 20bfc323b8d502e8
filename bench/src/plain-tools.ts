/** Starts what Wavemill is measured against, each in a session of its own: the bare server and plain ffmpeg. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from './service.ts'
import { hasEnded, spawnInSession } from './session.ts'

export interface BareServer {
  readonly baseUrl: string
  stop(): Promise<void>
}

/** Starts the bare Fastify server, whose uploads go to `folder`, and waits until it answers. */
export async function startBareServer(folder: string): Promise<BareServer> {
  const port = await freePort()
  const main = fileURLToPath(new URL('./bare-server-main.js', import.meta.url))
  const child = spawnInSession(process.execPath, [main, folder, String(port)], { stdio: 'inherit' })
  const baseUrl = `http://127.0.0.1:${port}`
  const stop = async () => {
    if (child.kill('SIGTERM')) await once(child, 'exit')
  }
  for (;;) {
    const answer = await fetch(`${baseUrl}/live`).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return { baseUrl, stop }
    if (hasEnded(child)) throw new Error(`The bare server ended with ${child.exitCode}`)
    await sleep(20)
  }
}

/**
 * Encodes a WAV file as Wavemill's defaults do and tells how long ffmpeg took, from its start to its end.
 *
 * @returns milliseconds.
 */
export async function timePlainFfmpeg(wavPath: string, mp3Path: string): Promise<number> {
  const startedAt = performance.now()
  await run(process.env.FFMPEG_PATH || 'ffmpeg', [
    ...['-nostdin', '-v', 'error', '-y', '-i', wavPath],
    ...['-codec:a', 'libmp3lame', '-q:a', '2', mp3Path],
  ])
  return performance.now() - startedAt
}

/** Writes everything the kernel still holds to the disk, so that no measurement pays for the one before it. */
export function flushDisk(): Promise<void> {
  return run('sync', [])
}

/** Runs a program to its end. @throws unless it ends with 0. */
export async function run(file: string, args: readonly string[]): Promise<void> {
  const child = spawnInSession(file, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const [code, signal] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${file} ended with ${code ?? signal}`)
}
