/** Answers with a ready record's MP3, whole or in ranges, streamed out of its chunk rows. */
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { readMp3 } from '@wavemill/prisma/chunks'
import type { Database } from '@wavemill/prisma/database'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { type BodyPiece, type PartialBody, partialBody, selectRanges } from './byte-ranges.ts'
import { MP3_TYPE, mp3Headers, type ReadyMp3, validatorHeaders, validatorsOf } from './mp3-headers.ts'
import { allowsRange, type HeaderReader, judgePreconditions } from './preconditions.ts'
import { Problem } from './problem.ts'

/**
 * @param type whether a browser shows a player, or saves the file.
 * @throws Problem `precondition-failed` or `range-not-satisfiable`, or an error of the database.
 */
export async function sendMp3(
  db: Database,
  mp3: ReadyMp3,
  { type, request, reply }: { type: 'inline' | 'attachment'; request: FastifyRequest; reply: FastifyReply },
): Promise<FastifyReply> {
  const header = headerReader(request)
  const validators = validatorsOf(mp3)
  const verdict = judgePreconditions(header, validators)
  if (verdict === 'failed')
    throw new Problem('precondition-failed', 'The MP3 is not the one that the condition asks for.')
  if (verdict === 'not-modified') return reply.code(304).headers(validatorHeaders(mp3)).send()

  const range = request.method === 'GET' && allowsRange(header, validators) ? header('range') : undefined
  const part = range === undefined ? undefined : selectPart(range, mp3.size)
  reply.code(part === undefined ? 200 : 206).headers(mp3Headers(mp3, type))
  reply.headers(part?.headers ?? { 'content-type': MP3_TYPE, 'content-length': String(mp3.size) })
  if (request.method === 'HEAD') return reply.send()
  return reply.send(await openBody(db, mp3.key, part?.pieces ?? [{ start: 0, end: mp3.size }], request.log))
}

/** What came twice is joined, as RFC 9110, section 5.3 has it: so two dates are none. */
function headerReader({ raw }: FastifyRequest): HeaderReader {
  return (name) => raw.headersDistinct[name]?.join(', ')
}

/** @returns undefined for the whole. */
function selectPart(range: string, size: number): PartialBody | undefined {
  const ranges = selectRanges(range, size)
  if (ranges === 'whole') return undefined
  if (ranges !== 'unsatisfiable') return partialBody(ranges, { size, type: MP3_TYPE }, randomUUID())
  throw new Problem('range-not-satisfiable', `The MP3 has ${size} bytes, and none of those.`, {
    headers: { 'content-range': `bytes */${size}`, 'accept-ranges': 'bytes' },
  })
}

/**
 * Waits for the first bytes, so that what goes wrong until then is an answer of its own. What goes wrong later breaks
 * the connection: half a file must never look whole.
 */
async function openBody(
  db: Database,
  key: bigint,
  pieces: readonly BodyPiece[],
  log: FastifyBaseLogger,
): Promise<Readable> {
  const bytes = readPieces(db, key, pieces)
  const first = await bytes.next()

  async function* all(): AsyncGenerator<Buffer> {
    try {
      if (first.done !== true) yield first.value
      yield* bytes
    } catch (error) {
      log.error({ err: error, recordKey: key }, 'download broken off')
      throw error
    } finally {
      await bytes.return()
    }
  }
  return Readable.from(all(), { objectMode: false })
}

async function* readPieces(
  db: Database,
  key: bigint,
  pieces: readonly BodyPiece[],
): AsyncGenerator<Buffer, void, undefined> {
  for (const piece of pieces) {
    if (typeof piece === 'string') yield Buffer.from(piece)
    else yield* readMp3(db, key, piece)
  }
}
