/** The plain tool that uploads, answers and downloads are measured against: Fastify, @fastify/multipart and pg with nothing added. */
import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import multipart from '@fastify/multipart'
import Fastify, { type FastifyInstance } from 'fastify'
import pg from 'pg'

interface RecordQuery {
  Querystring: { readonly id: string }
}

/**
 * `GET /live` answers at once; `POST /upload` writes the file's stream to `folder`, fsyncs it and answers. `GET /state?id=`
 * and `GET /mp3?id=` answer with a recording's row and with its MP3, by one query each.
 *
 * @param folder where uploads are written; each is removed once it was answered.
 * @param databaseUrl Wavemill's database.
 */
export async function buildBareServer(folder: string, databaseUrl: string): Promise<FastifyInstance> {
  const app = Fastify()
  const pool = new pg.Pool({ connectionString: databaseUrl })
  app.addHook('onClose', () => pool.end())
  await app.register(multipart, { limits: { fileSize: Number.MAX_SAFE_INTEGER } })

  app.get('/live', async () => ({ status: 'ok' }))

  app.post('/upload', async (request, reply) => {
    const upload = await request.file()
    if (upload === undefined) return reply.code(400).send({ status: 'no file' })
    const path = join(folder, `${randomUUID()}.wav`)
    // `flush`: fsync before it is closed.
    await pipeline(upload.file, createWriteStream(path, { flush: true }))
    reply.raw.once('close', () => void rm(path))
    return { status: 'ok' }
  })
  app.get<RecordQuery>('/state', async ({ query: { id } }) => {
    const { rows } = await pool.query('SELECT status, progress FROM record WHERE id = $1', [id])
    return rows[0]
  })

  app.get<RecordQuery>('/mp3', async ({ query: { id } }, reply) => {
    const { rows } = await pool.query<{ data: Buffer }>(
      `SELECT data FROM chunk JOIN record ON record.key = chunk.record_key
       WHERE record.id = $1 ORDER BY segment, part`,
      [id],
    )
    return reply.type('audio/mpeg').send(Buffer.concat(rows.map(({ data }) => data)))
  })
  return app
}
