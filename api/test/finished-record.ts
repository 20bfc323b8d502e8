/** Makes records ready, or failed, as a worker does, with bytes that the test chooses: to the API an MP3 is only bytes. */
import { createHash } from 'node:crypto'
import { insertChunk } from '@wavemill/prisma/chunks'
import type { Database } from '@wavemill/prisma/database'
import { finishRecord } from '@wavemill/prisma/finish'
import { completeSegment } from '@wavemill/prisma/segments'
import { takeSegment } from '@wavemill/prisma/take-segment'

const CHUNK_BYTES = 1_048_576

/** @param url the link of a record of one segment that nobody has taken. */
export async function finishLinked(db: Database, url: string, mp3: Buffer): Promise<bigint> {
  const recordKey = await keyOf(db, url)
  const taken = await takeSegment(db, { recordKey, seq: 0, worker: 'test' })
  if (taken === undefined) throw new Error('The segment is taken')
  const head = mp3.subarray(0, 100)
  const audio = mp3.subarray(100)
  for (let part = 0; part * CHUNK_BYTES < audio.length; part += 1) {
    const data = audio.subarray(part * CHUNK_BYTES, (part + 1) * CHUNK_BYTES)
    await insertChunk(db, { recordKey, seq: 0, attempt: taken.attempt, part, data })
  }
  await completeSegment(db, { recordKey, seq: 0, attempt: taken.attempt, bytes: audio.length })
  const mp3Sha256 = createHash('sha256').update(mp3).digest()
  if (!(await finishRecord(db, { recordKey, head, mp3Size: mp3.length, mp3Sha256 })))
    throw new Error('Not finished')
  return recordKey
}

export async function keyOf(db: Database, url: string): Promise<bigint> {
  const id = new URL(url).searchParams.get('id') ?? ''
  return (await db.prisma.record.findUniqueOrThrow({ where: { id } })).key
}
