/** Asks the registry whether a package that the service uses has a known vulnerability; a registry that cannot tell fails nothing. */
import { spawnSync } from 'node:child_process'

const TIMEOUT_MS = 60_000
const grave = new Set(['high', 'critical'])

/**
 * @param pnpm the package that the tests and the images install with, such as `pnpm@12.21.0`.
 * @returns false if there is a grave one.
 */
export function auditPackages(root, pnpm) {
  const { stdout, stderr, error } = spawnSync('npx', ['--yes', pnpm, 'audit', '--prod', '--json'], {
    cwd: root,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  })
  const advisories = readAdvisories(stdout)
  if (advisories === undefined) {
    const reason = error?.message ?? `${stdout}${stderr}`.trim().split('\n').slice(-3).join(' ')
    console.error(
      `NOT AUDITED: the registry did not say which packages have known vulnerabilities (${reason})`,
    )
    return true
  }
  const found = advisories.filter(({ severity }) => grave.has(severity))
  for (const { module_name, severity, title, url } of found) {
    console.error(`${module_name}: ${severity}: ${title} (${url})`)
  }
  console.error(`Audited: ${found.length} grave vulnerabilities, ${advisories.length - found.length} others.`)
  return found.length === 0
}

/** npm's audit report, version 1, as pnpm writes it. @returns undefined if this is none. */
function readAdvisories(text) {
  try {
    const { advisories, metadata } = JSON.parse(text)
    if (metadata?.vulnerabilities === undefined) return undefined
    return Object.values(advisories ?? {})
  } catch {
    return undefined
  }
}
