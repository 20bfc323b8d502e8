/** `npm start`: Wavemill with all that it needs, until Ctrl-C. */
import { createLog, type Log } from '@wavemill/core/log'
import { describeError } from '@wavemill/core/quiet-errors'
import { type Settings, SettingsError } from '@wavemill/core/settings'
import { ensureAdminPassword } from './admin-password.ts'
import { loadSettings } from './environment.ts'
import { findFfmpeg } from './find-ffmpeg.ts'
import { choosePort, tryToListen } from './free-port.ts'
import { startService } from './service.ts'
import { welcomeScreen } from './welcome.ts'

async function main(): Promise<void> {
  const settings = readSettings()
  const log = createLog('start', settings.logLevel)
  const stopping = stopSignal()
  try {
    await run(settings, log, stopping)
  } catch (error) {
    if (stopping.aborted) return
    log.debug({ err: error }, 'The start failed')
    console.error(`Wavemill does not start: ${describeError(error)}`)
    process.exitCode = 1
  }
}

async function run(settings: Settings, log: Log, stop: AbortSignal): Promise<void> {
  const port = await claimPort(settings)
  const ffmpeg = await findFfmpeg(settings.ffmpegPath, process.env.PATH ?? '')
  const made = settings.adminPassword === undefined ? await ensureAdminPassword(settings.dataDir) : undefined
  const service = await startService({
    settings,
    env: { ...process.env, PORT: String(port) },
    adminPassword: settings.adminPassword ?? made?.password ?? '',
    ffmpegPath: ffmpeg.path,
    log,
    stop,
  })
  const screen = welcomeScreen({
    address: addressOf(settings, port),
    dataDir: settings.dataDir,
    database: settings.databaseUrl === undefined ? 'embedded' : 'external',
    queue: settings.redisUrl === undefined ? 'PostgreSQL' : 'Redis',
    adminUser: settings.adminUser,
    newPassword: made?.isNew === true ? made.password : undefined,
    usesPackagedFfmpeg: ffmpeg.isPackaged,
  })
  if (!stop.aborted) process.stdout.write(screen)
  await new Promise<void>((resolve) => {
    if (stop.aborted) resolve()
    else stop.addEventListener('abort', () => resolve())
  })
  await service.stop()
}

function readSettings(): Settings {
  try {
    return loadSettings(process.env)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    console.error(error.message)
    process.exit(1)
  }
}

/** Aborted by the first Ctrl-C or SIGTERM; a second Ctrl-C, sent by a person in a hurry, ends everything at once. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController()
  let firstAt = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // npm passes on the Ctrl-C that the terminal has sent us already: that is not a second one.
      if (stopping.signal.aborted && Date.now() - firstAt > 1_000) process.exit(130) // the children end with us
      if (stopping.signal.aborted) return
      firstAt = Date.now()
      stopping.abort()
    })
  }
  return stopping.signal
}

/** @throws Error with a sentence if the port is taken. */
async function claimPort({ host, port }: Settings): Promise<number> {
  if (port === 0) return await choosePort()
  try {
    await tryToListen(port, host)
    return port
  } catch (cause) {
    throw new Error(
      `port ${port} of ${host} cannot be had (${describeError(cause)}); set PORT to another one`,
      {
        cause,
      },
    )
  }
}

function addressOf({ publicUrl, host }: Settings, port: number): string {
  if (publicUrl !== undefined) return publicUrl
  const isEverywhere = host === '0.0.0.0' || host === '::'
  const name = host.includes(':') ? `[${host}]` : host
  return `http://${isEverywhere ? 'localhost' : name}:${port}`
}

await main()
