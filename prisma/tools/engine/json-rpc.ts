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
 * Serves until stdin ends. Each request has an engine of its own, so that all of it is over, its shadow database too,
 * when it is answered: the CLI kills us without a word.
 *
 * @param open makes an engine.
 * @returns the exit code.
 */
export async function serveJsonRpc(open: () => Promise<OpenSchemaEngine>): Promise<number> {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    const { id, method, params }: Request = JSON.parse(line)
    if (method === undefined) continue
    try {
      send({ id, result: await answer(open, method, params) })
    } catch (error) {
      send({ id, error: describe(error) })
    }
  }
  return 0
}

async function answer(
  open: () => Promise<OpenSchemaEngine>,
  method: string,
  params: Record<string, unknown> | undefined,
): Promise<unknown> {
  if (method === 'createDatabase') return { databaseName: await createDatabase(urlOf(params)) }
  const opened = await open()
  try {
    return await call(opened, method, params)
  } catch (error) {
    const cause = opened.causeOf(error)
    if (error instanceof Error && cause !== undefined) error.message = `${cause}\n${error.message}`
    throw error
  } finally {
    await opened.close()
  }
}

/** These cannot make the shadow database themselves, but find what another method of the same engine read out of it. */
const needPreparation = new Set(['evaluateDataLoss', 'createMigration'])

async function call({ engine }: OpenSchemaEngine, method: string, params: unknown): Promise<object> {
  if (needPreparation.has(method)) await invoke(engine, 'devDiagnostic', params)
  const result = await invoke(engine, method === 'getDatabaseVersion' ? 'version' : method, params)
  if (method !== 'diff' || !('stdout' in result)) return result
  // The native engine prints a diff through the CLI instead of returning it.
  const { stdout, ...rest } = result
  if (typeof stdout === 'string' && stdout !== '') {
    send({ id: 0, method: 'print', params: { content: stdout.replace(/\n$/, '') } })
  }
  return rest
}

async function invoke(engine: OpenSchemaEngine['engine'], name: string, params: unknown): Promise<object> {
  const method: unknown = Reflect.get(engine, name)
  if (typeof method !== 'function') throw new Error(`The schema engine knows no method ${name}`)
  return (await method.call(engine, params)) ?? {}
}

function urlOf(params: Record<string, unknown> | undefined): string {
  const datasource = params?.datasource
  if (typeof datasource === 'object' && datasource !== null && 'url' in datasource)
    return String(datasource.url)
  throw new Error('createDatabase names no URL')
}

function describe(error: unknown): object {
  const thrown = error instanceof Error ? error : new Error(String(error))
  const data = {
    is_panic: thrown.name === 'RuntimeError',
    message: thrown.message,
    error_code: 'code' in thrown ? thrown.code : null,
    meta: 'meta' in thrown ? thrown.meta : null,
  }
  return { code: 4466, message: 'An error happened. Check the data field for details.', data }
}

function send(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
}
