/** Speaks the schema engine's JSON-RPC on stdin and stdout: one request and one answer a line, one after the other. */
import { createInterface } from 'node:readline'
import type { OpenSchemaEngine } from '../../src/schema-engine.ts'
import { createDatabase } from './database-command.ts'

interface Request {
  readonly id: number
  /** Missing in the CLI's answers to our `print`. */
  readonly method?: string
  readonly params?: Record<string, unknown>
}

/**
 * Serves until stdin ends.
 *
 * @param open makes the engine at the first request that needs it.
 * @returns the exit code.
 */
export async function serveJsonRpc(open: () => Promise<OpenSchemaEngine>): Promise<number> {
  let opened: OpenSchemaEngine | undefined
  // The CLI ends us with SIGTERM rather than by closing stdin; a shadow database must not be left behind.
  process.once('SIGTERM', () => process.stdin.destroy())
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    const { id, method, params }: Request = JSON.parse(line)
    if (method === undefined) continue
    try {
      if (method === 'createDatabase') {
        send({ id, result: { databaseName: await createDatabase(urlOf(params)) } })
      } else {
        opened ??= await open()
        send({ id, result: await call(opened, method, params) })
      }
    } catch (error) {
      send({ id, error: describe(error, opened?.causeOf(error)) })
    }
  }
  await opened?.close()
  return 0
}

async function call(opened: OpenSchemaEngine, method: string, params: unknown): Promise<unknown> {
  const name = method === 'getDatabaseVersion' ? 'version' : method
  const implementation: unknown = Reflect.get(opened.engine, name)
  if (typeof implementation !== 'function') throw new Error(`The schema engine knows no method ${method}`)
  const result = (await implementation.call(opened.engine, params)) ?? {}
  if (method !== 'diff') return result
  // The native engine prints a diff through the CLI instead of returning it.
  const { stdout, ...rest } = result
  if (stdout) send({ id: 0, method: 'print', params: { content: stdout.replace(/\n$/, '') } })
  return rest
}

function urlOf(params: Record<string, unknown> | undefined): string {
  const datasource = params?.datasource
  if (typeof datasource === 'object' && datasource !== null && 'url' in datasource)
    return String(datasource.url)
  throw new Error('createDatabase names no URL')
}

function describe(error: unknown, cause: unknown): object {
  const thrown = error instanceof Error ? error : new Error(String(error))
  const data = {
    is_panic: thrown.name === 'RuntimeError',
    message: cause === undefined ? thrown.message : `${thrown.message}\n${cause}`,
    error_code: 'code' in thrown ? thrown.code : null,
    meta: 'meta' in thrown ? thrown.meta : null,
  }
  return { code: 4466, message: 'An error happened. Check the data field for details.', data }
}

function send(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
}
