/** Reads the settings of a command that a person starts: `.env` of the root, with the environment winning over it. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseSettings, type Settings } from '@wavemill/core/settings'

const envFile = fileURLToPath(new URL('../../.env', import.meta.url))

/**
 * Loads `.env` into the process's environment, without replacing what is there.
 *
 * @throws SettingsError naming every bad value.
 */
export function loadSettings(env: NodeJS.ProcessEnv): Settings {
  if (existsSync(envFile)) process.loadEnvFile(envFile)
  return parseSettings(env)
}

/** What the children are given: our own environment, and every setting that we found, chose or made absolute. */
export function childEnvironment(
  env: NodeJS.ProcessEnv,
  settings: Settings,
  found: { databaseUrl: string; adminPassword: string; ffmpegPath: string },
): NodeJS.ProcessEnv {
  return {
    ...env,
    DATABASE_URL: found.databaseUrl,
    ADMIN_PASSWORD: found.adminPassword,
    FFMPEG_PATH: found.ffmpegPath,
    DATA_DIR: settings.dataDir,
    WAV_DIR: settings.wavDir,
  }
}
