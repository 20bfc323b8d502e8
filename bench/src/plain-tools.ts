/** Starts what Wavemill is measured against, each in a session of its own: the bare server, one plain ffmpeg and many. */
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from './service.ts'
import { hasEnded, spawnInSession } from './session.ts'

export interface BareServer {
  readonly baseUrl: string
  stop(): Promise<void>
}

/** Starts the bare Fastify server, whose uploads go to `folder`, beside Wavemill's database, and waits until it answers. */
export async function startBareServer(folder: string, databaseUrl: string): Promise<BareServer> {
  const port = await freePort()
  const main = fileURLToPath(new URL('./bare-server-main.js', import.meta.url))
  const env = { ...process.env, DATABASE_URL: databaseUrl }
  const child = spawnInSession(process.execPath, [main, folder, String(port)], { stdio: 'inherit', env })
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
  await run(ffmpegPath(), [...quietly, '-i', wavPath, ...asByDefault, mp3Path])
  return performance.now() - startedAt
}

/**
 * Encodes many WAV files, one ffmpeg for each and one core for each ffmpeg, as anybody would from a shell: by `xargs -P`.
 * Each has a session of its own, as the worker's have: on a busy machine it would else get a smaller share of it.
 *
 * @param options of ffmpeg, beside those that are Wavemill's defaults.
 * @returns milliseconds from the first start to the last end.
 */
export async function timeXargsFfmpeg(
  wavPaths: readonly string[],
  folder: string,
  options: readonly string[] = [],
): Promise<number> {
  const list = join(folder, 'xargs.txt')
  await writeFile(list, wavPaths.map((path) => `${path}\0`).join(''))
  const encode = [ffmpegPath(), ...quietly, '-i', '{}', ...asByDefault, ...options, '{}.mp3']
  const parallel = ['-0', '-a', list, '-P', String(availableParallelism()), '-I', '{}']
  const startedAt = performance.now()
  await run('xargs', [...parallel, 'setsid', '--wait', ...encode])
  return performance.now() - startedAt
}

/**
 * Copies the rows of a recording's MP3 out of the database by psql, to nowhere.
 *
 * @returns milliseconds from psql's start to its end.
 */
export async function timePsqlCopy(databaseUrl: string, id: string): Promise<number> {
  const rows = `SELECT data FROM chunk JOIN record ON record.key = chunk.record_key
    WHERE record.id = '${id}' ORDER BY segment, part`
  const startedAt = performance.now()
  await run('psql', [databaseUrl, '-c', `COPY (${rows}) TO STDOUT (FORMAT binary)`], 'ignore')
  return performance.now() - startedAt
}

/** Runs ffmpeg for what is no measurement: to cut, join and convert material. */
export function runFfmpeg(args: readonly string[]): Promise<void> {
  return run(ffmpegPath(), [...quietly, ...args])
}

const quietly = ['-nostdin', '-v', 'error', '-y']
const asByDefault = ['-codec:a', 'libmp3lame', '-q:a', '2']

function ffmpegPath(): string {
  return process.env.FFMPEG_PATH || 'ffmpeg'
}

/** Writes everything the kernel still holds to the disk, so that no measurement pays for the one before it. */
export function flushDisk(): Promise<void> {
  return run('sync', [])
}

/** Runs a program to its end. @param output what becomes of what it prints. @throws unless it ends with 0. */
export async function run(
  file: string,
  args: readonly string[],
  output: 'inherit' | 'ignore' = 'inherit',
): Promise<void> {
  const child = spawnInSession(file, args, { stdio: ['ignore', output, 'inherit'] })
  const [code, signal] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${file} ended with ${code ?? signal}`)
}
