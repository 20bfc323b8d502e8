/** The packages that are installed here, found as Node finds them: from each package of the workspace along its dependencies. */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Manifest {
  readonly name: string
  readonly license?: string | { readonly type: string }
  /** As packages said it long ago. */
  readonly licenses?: readonly { readonly type: string }[]
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface InstalledPackage {
  readonly folder: string
  readonly manifest: Manifest
}

/**
 * @param from folders of the workspace; `''` is the root.
 * @param withTools also what is needed for development only.
 */
export function installedPackages(
  from: readonly string[],
  { withTools }: { withTools: boolean },
): InstalledPackage[] {
  const found = new Map<string, Manifest>()
  const todo = from.map((folder) => realpathSync(join(root, folder)))
  for (let folder = todo.pop(); folder !== undefined; folder = todo.pop()) {
    if (found.has(folder)) continue
    const manifest: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    found.set(folder, manifest)
    const isOurs = !folder.includes('node_modules')
    const dependencies = {
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...(withTools && isOurs ? manifest.devDependencies : {}),
    }
    for (const name of Object.keys(dependencies)) {
      const dependency = resolve(folder, name)
      if (dependency !== undefined) todo.push(dependency)
    }
  }
  return [...found]
    .filter(([folder]) => folder.includes('node_modules'))
    .map(([folder, manifest]) => ({ folder, manifest }))
}

/** Folders of the workspace that have a manifest. */
export function workspaceFolders(): string[] {
  return ['', ...readdirSync(root)].filter((name) => existsSync(join(root, name, 'package.json')))
}

/** @returns undefined if it is not installed: an optional one, of another platform. */
function resolve(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate)
    if (folder === dirname(folder)) return undefined
  }
}
