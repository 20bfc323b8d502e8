/** A process of the tests that takes the lock of the folder it is given, says how that went, and is left to be killed. */
import { lockDataFolder } from '../../src/data-folder-lock.ts'

const [, , folder = ''] = process.argv
const lock = await lockDataFolder(folder)
process.stdout.write(`${lock === undefined ? 'refused' : 'locked'}\n`)
setInterval(() => {}, 1_000)
