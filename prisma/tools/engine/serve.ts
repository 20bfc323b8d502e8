/** Reads the command line of a schema engine and does what it asks: a version, one command, or JSON-RPC on stdio. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openSchemaEngine } from '../../src/schema-engine.ts'
import { runDatabaseCommand } from './database-command.ts'
import { serveJsonRpc } from './json-rpc.ts'

/**
 * @param args what the Prisma CLI passes, e.g. `--datamodels schema.prisma --datasource '{"url": "postgres://..."}'`.
 * @param defaultUrl used where the CLI names no database.
 * @returns the exit code.
 */
export async function serveSchemaEngine(args: string[], defaultUrl: string | undefined): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    strict: false,
    allowPositionals: true,
    options: {
      version: { type: 'boolean', short: 'V' },
      datamodels: { type: 'string', multiple: true },
      datasource: { type: 'string' },
    },
  })
  if (values.version === true) {
    process.stdout.write('schema-engine-cli (WebAssembly)\n')
    return 0
  }
  const datasource = readDatasource(values.datasource)
  const url = datasource.url ?? defaultUrl
  if (positionals[0] === 'cli') return runDatabaseCommand(positionals[1], url)
  const paths = (values.datamodels ?? []).filter((path) => typeof path === 'string')
  return serveJsonRpc(() =>
    openSchemaEngine({
      url: url ?? 'postgres://no-database-is-configured.invalid',
      shadowUrl: datasource.shadowDatabaseUrl,
      datamodels: paths.length === 0 ? undefined : paths.map((path) => [path, readFileSync(path, 'utf8')]),
    }),
  )
}

interface Datasource {
  url?: string
  shadowDatabaseUrl?: string
}

function readDatasource(value: unknown): Datasource {
  return typeof value === 'string' ? JSON.parse(value) : {}
}
