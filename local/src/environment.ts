/** Reads the settings of a command that a person starts: `.env` of the root, with the environment winning over it. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseSettings, type Settings } from '@wavemill/core/settings'

const envFile = fileURLToPath(new URL('../../.env', import.meta.url))

/**
 * Loads `.env` into the process's environment, without replacing what is there.
 *
 * @param env the process's own environment.
 * @throws SettingsError naming every bad value.
 */
export function loadSettings(env: NodeJS.ProcessEnv): Settings {
  if (existsSync(envFile)) process.loadEnvFile(envFile)
  return parseSettings(env)
}
