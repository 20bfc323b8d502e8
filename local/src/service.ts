/** Everything that `npm start` runs, in order: database, migrations, API and workers; and its end, in reverse order. */
import { fileURLToPath } from 'node:url'
import type { Log } from '@wavemill/core/log'
import { type Program, runProgram, startProgram } from './child-process.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts'
import { type Run, type Supervised, supervise } from './supervise.ts'

const MIGRATE = fileURLToPath(new URL('../../prisma/dist/migrate-main.js', import.meta.url))

// Together with the database they take about fifteen seconds to stop, the most that a person waits for after Ctrl-C.
const api = {
  path: fileURLToPath(new URL('../../api/dist/main.js', import.meta.url)),
  // What a crowd leaves behind is collected sooner, so that less of it is ever held.
  nodeOptions: ['--max-semi-space-size=4'],
  stopWithinMs: 5_000,
}
const worker = {
  path: fileURLToPath(new URL('../../worker/dist/main.js', import.meta.url)),
  // The cores are ffmpeg's: a collector with threads of its own takes more of them, and keeps more memory.
  nodeOptions: ['--single-threaded-gc'],
  stopWithinMs: 8_000,
}

export interface ServiceParts {
  readonly dataDir: string
  /** undefined: the embedded PostgreSQL. */
  readonly databaseUrl: string | undefined
  readonly workers: number
  /** The children's environment, but for DATABASE_URL. */
  readonly env: NodeJS.ProcessEnv
  readonly log: Log
  /** Gives up a start that is under way, and starts nothing again from then on. */
  readonly signal: AbortSignal
}

export interface RunningService {
  /** First the API, so that nothing new comes in; then the workers; then the database. */
  stop(): Promise<void>
}

/** @throws if one of its parts does not start; what had started is stopped again. */
export async function startService(parts: ServiceParts): Promise<RunningService> {
  const { log, signal } = parts
  const stages: Supervised[][] = []
  async function stop(): Promise<void> {
    for (const stage of stages.toReversed()) await Promise.all(stage.map((part) => part.stop()))
  }
  try {
    const databaseUrl = parts.databaseUrl ?? (await startDatabase(parts, stages))
    const env = { ...parts.env, DATABASE_URL: databaseUrl }
    await runProgram({ path: MIGRATE, env, stopWithinMs: worker.stopWithinMs }, signal)

    const keep = (name: string, program: Omit<Program, 'env'>) =>
      supervise({ name, log, signal, start: (giveUp) => startProgram({ ...program, env }, giveUp) })
    const numbers = Array.from({ length: parts.workers }, (_, index) => index + 1)
    stages.push(numbers.map((number) => keep(`Worker ${number}`, worker)))
    stages.push([keep('The API', api)])
    await Promise.all(stages.flat().map((part) => part.ready))
    return { stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Its URL. Started again on the same port, where the other processes look for it. */
async function startDatabase(
  { dataDir, log, signal }: ServiceParts,
  stages: Supervised[][],
): Promise<string> {
  let last: EmbeddedPostgres | undefined
  async function start(giveUp: AbortSignal): Promise<Run> {
    const port = last === undefined ? {} : { port: last.port }
    last = await startEmbeddedPostgres({ dataDir, log, signal: giveUp, ...port })
    return last
  }
  const database = supervise({ name: 'PostgreSQL', log, signal, start })
  stages.push([database])
  await database.ready
  if (last === undefined) throw new Error('PostgreSQL is ready and has no address')
  return last.url
}
