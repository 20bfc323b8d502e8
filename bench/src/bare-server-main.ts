/** The bare server's process: takes the folder of its uploads and the port as arguments, and `DATABASE_URL`. */
import { buildBareServer } from './bare-server.ts'

const [folder = '.', port = '0'] = process.argv.slice(2)
const app = await buildBareServer(folder, process.env.DATABASE_URL ?? '')
process.once('SIGTERM', () => void app.close())
await app.listen({ host: '127.0.0.1', port: Number(port) })
