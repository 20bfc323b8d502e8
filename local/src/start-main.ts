/** `npm start`: Wavemill with all that it needs, until Ctrl-C. */
import { createLog, type Log } from '@wavemill/core/log'
import { describeError } from '@wavemill/core/quiet-errors'
import { type Settings, SettingsError } from '@wavemill/core/settings'
import { type DataFolder, keepSecret, openDataFolder } from './data-folder.ts'
import { lockDataFolder } from './data-folder-lock.ts'
import { aborted } from './ended.ts'
import { loadSettings } from './environment.ts'
import { findFfmpeg } from './find-ffmpeg.ts'
import { readPostmasterFile } from './leftover-postgres.ts'
import { claimPort, localAddress } from './listen-address.ts'
import { startService } from './service.ts'
import { startScreen } from './start-screen.ts'
import { stopSignal } from './stop-signal.ts'

/** How long the API of a start that was killed may still finish its requests, and hold the port. */
const LEFTOVER_API_MS = 25_000

async function main(): Promise<void> {
  const signal = stopSignal()
  try {
    const settings = loadSettings(process.env)
    await run(settings, createLog('start', settings.logLevel), signal)
  } catch (error) {
    if (signal.aborted) return
    process.exitCode = 1
    console.error(
      error instanceof SettingsError ? error.message : `Wavemill does not start: ${describeError(error)}`,
    )
  }
}

/** Resolves when everything has ended after the signal. */
async function run(settings: Settings, log: Log, signal: AbortSignal): Promise<void> {
  const folder = await openDataFolder(settings.dataDir)
  const lock = await lockDataFolder(folder.path)
  if (lock === undefined) {
    throw new Error(`another one runs on ${folder.path}: stop it first, or set DATA_DIR (and PORT) to others`)
  }
  try {
    await serve(settings, folder, log, signal)
  } finally {
    await lock.release()
  }
}

async function serve(settings: Settings, folder: DataFolder, log: Log, signal: AbortSignal): Promise<void> {
  const { host, dataDir, databaseUrl, workers } = settings
  // The database's own lock file: it is there if the last start was killed.
  const wasKilled = (await readPostmasterFile(folder.postgres)) !== undefined
  const port = await claimPort(host, settings.port, wasKilled ? LEFTOVER_API_MS : 0)
  const ffmpeg = await findFfmpeg(settings.ffmpegPath, process.env.PATH ?? '')
  const adminPassword = settings.adminPassword === undefined ? await makePassword(folder) : undefined
  const env = {
    ...process.env,
    PORT: String(port),
    DATA_DIR: dataDir,
    WAV_DIR: settings.wavDir,
    ADMIN_PASSWORD: settings.adminPassword ?? adminPassword?.secret,
    FFMPEG_PATH: ffmpeg.path,
  }
  const service = await startService({ dataDir, databaseUrl, workers, env, log, signal })
  const address = localAddress(host, port)
  const screen = startScreen({ settings, address, adminPassword, usesPackagedFfmpeg: ffmpeg.isPackaged })
  process.stdout.write(screen)
  await aborted(signal)
  await service.stop()
}

async function makePassword({ adminPassword: path }: DataFolder) {
  return { ...(await keepSecret(path)), path }
}

await main()
