/** The schema engine's way to PostgreSQL: adapter-pg with its gaps closed, and the temporary "shadow" database. */
import { randomBytes } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import { ColumnTypeEnum, type SqlDriverAdapter, type SqlQuery } from '@prisma/driver-adapter-utils'
import pg from 'pg'

/**
 * Three things keep adapter-pg 7.10.1 as it is from serving the schema engine: the migration lock belongs to one
 * session, so there may be one connection only; it refuses "char" columns, which the catalogue is full of; and it
 * splits scripts at each ';', which breaks literals and function bodies.
 *
 * @param onClosed runs when the adapter was disposed of.
 */
export async function openEngineAdapter(
  url: string,
  onClosed: () => Promise<void>,
): Promise<SqlDriverAdapter> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: 10_000,
    options: '-c TimeZone=UTC',
  })
  const charColumns = new WeakMap<object, number[]>()
  const query = pool.query.bind(pool)
  Object.assign(pool, {
    async query(config: pg.QueryArrayConfig) {
      const result = await query(config)
      charColumns.set(result.rows, disguiseCharAsText(result.fields))
      return result
    },
  })
  const adapter = await new PrismaPg(pool).connect()
  const queryRaw = adapter.queryRaw.bind(adapter)
  return Object.assign(adapter, {
    async queryRaw(sql: SqlQuery) {
      const result = await queryRaw(sql)
      for (const column of charColumns.get(result.rows) ?? []) {
        result.columnTypes[column] = ColumnTypeEnum.Character
      }
      return result
    },
    async executeScript(script: string) {
      await query(script)
    },
    async dispose() {
      await pool.end()
      await onClosed()
    },
  })
}

/** @returns the indexes of the "char" columns, which adapter-pg now takes for text. */
function disguiseCharAsText(fields: pg.FieldDef[]): number[] {
  const { CHAR, TEXT } = pg.types.builtins
  return fields.flatMap((field, index) => {
    if (field.dataTypeID !== CHAR) return []
    field.dataTypeID = TEXT
    return [index]
  })
}

/** `migrate dev` and `migrate diff` replay the migrations in an empty database beside the real one. */
export async function createShadowDatabase(url: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `${decodeURIComponent(new URL(url).pathname.slice(1, 30))}_shadow_${randomBytes(8).toString('hex')}`
  async function run(sql: string): Promise<void> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(sql).finally(() => client.end())
  }
  await run(`CREATE DATABASE ${pg.escapeIdentifier(name)}`)
  const shadowUrl = new URL(url)
  shadowUrl.pathname = `/${name}`
  return { url: shadowUrl.href, drop: () => run(`DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`) }
}
