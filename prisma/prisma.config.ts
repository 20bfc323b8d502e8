/** Configures Prisma's CLI; its native schema engine is replaced by our own, so that no command needs the network. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'prisma/config'

process.env.PRISMA_SCHEMA_ENGINE_BINARY = fileURLToPath(new URL('tools/schema-engine.mjs', import.meta.url))
process.env.CHECKPOINT_DISABLE = '1' // it asks after new versions

export default defineConfig({
  schema: 'schema.prisma',
  migrations: { path: 'migrations' },
  // Generating the client needs no database.
  datasource: { url: process.env.DATABASE_URL ?? '' },
})
