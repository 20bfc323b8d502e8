/** A process of the tests that starts the embedded database in the folder it is given, says so, and is left to be killed. */
import { createLog } from '@wavemill/core/log'
import { startEmbeddedPostgres } from '../../src/embedded-postgres.ts'

const [, , dataDir = ''] = process.argv
const { pid } = await startEmbeddedPostgres({ dataDir, log: createLog('child', 'silent') })
process.stdout.write(`${pid}\n`)
setInterval(() => {}, 1_000)
