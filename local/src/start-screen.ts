/** The screen that `npm start` shows when it is ready. */
import type { Settings } from '@wavemill/core/settings'

export interface StartScreen {
  readonly settings: Settings
  /** Where the API is reached from this machine. */
  readonly address: string
  readonly adminPassword:
    | { readonly secret: string; readonly isNew: boolean; readonly path: string }
    | undefined
  readonly usesPackagedFfmpeg: boolean
}

/** @returns lines for a person, ending in a line feed. */
export function startScreen({ settings, address, adminPassword, usesPackagedFfmpeg }: StartScreen): string {
  const database =
    settings.databaseUrl === undefined ? 'an embedded PostgreSQL' : 'the PostgreSQL of DATABASE_URL'
  const lines = [
    '',
    `  Wavemill is ready: ${address}`,
    '',
    `  Try it      curl ${address}/user -H 'content-type: application/json' -d '{"name":"Ada"}'`,
  ]
  if (settings.publicUrl !== undefined) lines.push(`  Links       begin with ${settings.publicUrl}`)
  lines.push(`  Dashboard   ${address}/queues   user ${settings.adminUser}, ${passwordOf(adminPassword)}`)
  lines.push(`  Data        ${settings.dataDir}   in ${database}; waiting WAVs in ${settings.wavDir}`)
  if (usesPackagedFfmpeg) {
    lines.push(
      '  ffmpeg      the packaged one: an installed ffmpeg would be newer and about 2.5 times faster',
    )
  }
  return [...lines, '  Stop        Ctrl-C', '', ''].join('\n')
}

function passwordOf(password: StartScreen['adminPassword']): string {
  if (password === undefined) return 'password ADMIN_PASSWORD'
  if (password.isNew) return `password ${password.secret} (shown only this once; kept in ${password.path})`
  return `password in ${password.path}`
}
