/** The schema engine's `cli` commands: can the database be reached, make it, drop it. */
import pg from 'pg'

/** Prisma's codes for the errors that its CLI explains to people. */
const prismaCodes: Readonly<Record<string, string>> = {
  '28P01': 'P1000',
  '28000': 'P1000',
  ECONNREFUSED: 'P1001',
  ENOTFOUND: 'P1001',
  ETIMEDOUT: 'P1001',
  '3D000': 'P1003',
  '42P04': 'P1009',
}

/**
 * Runs one command and reports on stderr, in the JSON lines that the Prisma CLI reads.
 *
 * @returns the exit code.
 */
export async function runDatabaseCommand(
  command: string | undefined,
  url: string | undefined,
): Promise<number> {
  report('INFO', { message: 'Starting the schema engine' }) // the CLI skips the first line
  try {
    if (url === undefined) throw new Error('No database is configured: set DATABASE_URL')
    report('INFO', { message: await run(command, url) })
    return 0
  } catch (error) {
    report('ERROR', { is_panic: false, ...explain(error) })
    return 1
  }
}

async function run(command: string | undefined, url: string): Promise<string> {
  switch (command) {
    case 'can-connect-to-database':
      await query(url, 'SELECT 1')
      return 'Connection successful'
    case 'create-database':
      await createDatabase(url)
      return 'The database was created'
    case 'drop-database':
      await query(maintenanceUrl(url), `DROP DATABASE ${pg.escapeIdentifier(databaseName(url))}`)
      return 'The database was dropped'
    default:
      throw new Error(`Unknown command ${command}`)
  }
}

/** @returns the name of the new database. */
export async function createDatabase(url: string): Promise<string> {
  const name = databaseName(url)
  await query(maintenanceUrl(url), `CREATE DATABASE ${pg.escapeIdentifier(name)}`)
  return name
}

/** A database cannot be made or dropped over a connection to itself. */
function maintenanceUrl(url: string): string {
  const maintenance = new URL(url)
  maintenance.pathname = '/postgres'
  return maintenance.href
}

function databaseName(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1))
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  await client.query(sql).finally(() => client.end())
}

function explain(error: unknown): { error_code: string | undefined; message: string } {
  if (!(error instanceof Error)) return { error_code: undefined, message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return {
    error_code: code === undefined ? undefined : (prismaCodes[code] ?? code),
    message: error.message || String(code),
  }
}

function report(level: 'INFO' | 'ERROR', fields: object): void {
  const line = { timestamp: new Date().toISOString(), level, fields, target: 'schema_engine::logger' }
  process.stderr.write(`${JSON.stringify(line)}\n`)
}
