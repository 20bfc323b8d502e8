/** The plain tool that uploads and answers are measured against: Fastify and @fastify/multipart with nothing added. */
import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import multipart from '@fastify/multipart'
import Fastify, { type FastifyInstance } from 'fastify'

/**
 * `GET /live` answers at once; `POST /upload` writes the file's stream to `folder`, fsyncs it and answers.
 *
 * @param folder where uploads are written; each is removed once it was answered.
 */
export async function buildBareServer(folder: string): Promise<FastifyInstance> {
  const app = Fastify()
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
  return app
}
