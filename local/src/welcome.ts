/** The screen that `npm start` shows when it is ready. */

export interface Welcome {
  readonly address: string
  readonly dataDir: string
  readonly database: 'embedded' | 'external'
  readonly queue: 'PostgreSQL' | 'Redis'
  readonly adminUser: string
  /** Only where it was made just now. */
  readonly newPassword: string | undefined
  readonly usesPackagedFfmpeg: boolean
}

/** @returns lines for a person, ending in a line feed. */
export function welcomeScreen(welcome: Welcome): string {
  const { address, adminUser, newPassword } = welcome
  const password = newPassword === undefined ? '(its password was shown at the first start)' : newPassword
  const lines = [
    '',
    `  Wavemill is ready:  ${address}`,
    '',
    `  Try it:     curl ${address}/user -H 'content-type: application/json' -d '{"name":"Ada"}'`,
    `  Dashboard:  ${address}/queues   user ${adminUser}, password ${password}`,
    `  Data:       ${welcome.dataDir}   (${welcome.database} PostgreSQL, queue in ${welcome.queue})`,
  ]
  if (newPassword !== undefined) {
    lines.push(`              The password is kept in ${welcome.dataDir}/admin-password and not shown again.`)
  }
  if (welcome.usesPackagedFfmpeg) {
    lines.push('  ffmpeg:     the packaged one; an installed ffmpeg is newer and about 2.5 times faster.')
  }
  return [...lines, '  Stop:       Ctrl-C', '', ''].join('\n')
}
