/** Finishes a recording whose segments are all done: Info frame and digest of the whole, `ready`, and the WAV removed. */
import { createHash } from 'node:crypto'
import { buildInfoFrame, createFrameTally, type FrameTally } from '@wavemill/core/info-frame'
import { createFrameSplitter } from '@wavemill/core/mp3-frames'
import { planRecording } from '@wavemill/core/segment-plan'
import { readMp3 } from '@wavemill/prisma/chunks'
import { findFullRecord, finishRecord as makeReady } from '@wavemill/prisma/finish'
import { failRecord } from '@wavemill/prisma/segments'
import type { WorkerTools } from './worker-tools.ts'

// What is no longer than this is kept between the two readings; a longer one is read from the database again.
const MAX_KEPT_BYTES = 8 * 1_048_576

/**
 * Safe to call at any time, again, and by several at once: one of them makes the record ready, the others change nothing.
 * Holds at most a window of the MP3, and 4 bytes for each of its frames.
 */
export async function finishRecord(tools: WorkerTools, recordKey: bigint): Promise<void> {
  const { db, wavStore } = tools
  const log = tools.log.child({ recordKey: recordKey.toString() })
  const record = await findFullRecord(db, recordKey)
  if (record === undefined) return // finished or deleted meanwhile

  const plan = planRecording(record.source, record.samples, tools)
  const { tally, kept } = await tallyFrames(readMp3(db, recordKey))
  if (tally.frames !== plan.totalFrames) {
    const detail = `the segments hold ${tally.frames} frames, not ${plan.totalFrames}`
    await failRecord(db, { recordKey, code: 'wrong-length', detail })
    return
  }
  const head = buildInfoFrame({ tally, paddingSamples: plan.paddingSamples, vbr: true, quality: 2 })
  const mp3Sha256 = await digest(head, kept ?? readMp3(db, recordKey))
  const isReady = await makeReady(db, { recordKey, head, mp3Size: head.byteLength + tally.bytes, mp3Sha256 })
  if (!isReady) return
  log.info({ frames: tally.frames, bytes: head.byteLength + tally.bytes }, 'A recording is ready')
  await wavStore.remove(recordKey)
}

async function tallyFrames(
  mp3: AsyncIterable<Buffer>,
): Promise<{ tally: FrameTally; kept: readonly Buffer[] | undefined }> {
  const splitter = createFrameSplitter()
  const tally = createFrameTally()
  let kept: Buffer[] | undefined = []
  let bytes = 0
  for await (const window of mp3) {
    for (const frame of splitter.push(window)) tally.add(frame)
    bytes += window.byteLength
    if (bytes > MAX_KEPT_BYTES) kept = undefined
    kept?.push(window)
  }
  splitter.end()
  return { tally, kept }
}

async function digest(head: Buffer, mp3: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<Buffer> {
  const hash = createHash('sha256').update(head)
  for await (const window of mp3) hash.update(window)
  return hash.digest()
}
