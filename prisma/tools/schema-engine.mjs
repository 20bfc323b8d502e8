#!/usr/bin/env node
/** What Prisma's CLI starts in place of its native schema engine (see prisma.config.ts); the work is in engine/. */
import { register } from 'tsx/esm/api'

register()
const { serveSchemaEngine } = await import('./engine/serve.ts')
process.exitCode = await serveSchemaEngine(process.argv.slice(2), process.env.DATABASE_URL)
