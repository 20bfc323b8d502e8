/** Opens Prisma's schema engine as WebAssembly on a PostgreSQL database, so that nothing needs the native binary. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { bindMigrationAwareSqlAdapterFactory, type SqlDriverAdapter } from '@prisma/driver-adapter-utils'
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg'
import { createShadowDatabase, openEngineAdapter } from './schema-engine-adapter.ts'

export interface SchemaEngineOptions {
  readonly url: string
  /** A database that the engine may fill and empty at will; without one it makes and drops a temporary one. */
  readonly shadowUrl?: string | undefined
  /** Path and text of each schema file that the engine starts with. */
  readonly datamodels?: [path: string, text: string][] | undefined
}

export interface OpenSchemaEngine {
  readonly engine: bindings.SchemaEngine
  /** The database's own error behind one that the engine threw, if there is one. */
  causeOf(error: unknown): unknown
  /** Closes every connection and drops the temporary database. */
  close(): Promise<void>
}

/** Loads the engine, which connects at once; the caller closes it. */
export async function openSchemaEngine(options: SchemaEngineOptions): Promise<OpenSchemaEngine> {
  await loadWasm()
  const adapters = new Set<SqlDriverAdapter>()
  async function open(url: string, onClosed?: () => Promise<void>): Promise<SqlDriverAdapter> {
    const adapter = await openEngineAdapter(url, async () => {
      adapters.delete(adapter)
      await onClosed?.()
    })
    adapters.add(adapter)
    return adapter
  }
  const closeAll = () => Promise.all([...adapters].map((adapter) => adapter.dispose()))
  const factory = bindMigrationAwareSqlAdapterFactory({
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect: () => open(options.url),
    async connectToShadowDb() {
      if (options.shadowUrl !== undefined) return open(options.shadowUrl)
      const shadow = await createShadowDatabase(options.url)
      return open(shadow.url, shadow.drop)
    },
  })
  const causeOf = (error: unknown) => {
    const id = /External error id#(\d+)/.exec(String(error))?.[1]
    return id === undefined ? undefined : factory.errorRegistry.consumeError(Number(id))?.error
  }
  try {
    const ignoreLogs = () => {}
    const engine = await bindings.SchemaEngine.new({ datamodels: options.datamodels }, ignoreLogs, factory)
    const close = async () => {
      engine.free()
      await closeAll()
    }
    return { engine, causeOf, close }
  } catch (error) {
    await closeAll()
    throw causeOf(error) ?? error
  }
}

let wasmLoaded: Promise<void> | undefined

/** Node 20 cannot import a .wasm file, so the module is compiled by hand; once in a process. */
function loadWasm(): Promise<void> {
  wasmLoaded ??= (async () => {
    const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'))
    const bytes = await readFile(join(folder, 'schema_engine_bg.wasm'))
    Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: throwPanic } })
    const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': { ...bindings } })
    const { __wbindgen_start: start } = instance.exports
    if (typeof start !== 'function') throw new Error('The schema engine has another shape than expected')
    bindings.__wbg_set_wasm(instance.exports)
    start()
  })()
  return wasmLoaded
}

/** A panic ends the process whatever we do: better with its own words than with "unreachable". */
function throwPanic(message: string): never {
  throw new Error(`Prisma's schema engine panicked: ${message}`)
}

declare global {
  // Node has it, but its types leave it to those of the browser.
  namespace WebAssembly {
    function instantiate(
      bytes: Uint8Array,
      imports: object,
    ): Promise<{ instance: { exports: Record<string, unknown> } }>
  }
}
