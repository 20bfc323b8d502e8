/** Finishes a recording whose segments are all done: tag, Info frame and digest of the whole, `ready`, and the WAV removed. */
import { createHash } from 'node:crypto'
import { type RateControl, rateControlOf, storedEncodeOptions } from '@wavemill/core/encode-options'
import { TranscodeError } from '@wavemill/core/failures'
import { buildId3Tag } from '@wavemill/core/id3-tag'
import { buildInfoFrame, createFrameTally, type FrameTally } from '@wavemill/core/info-frame'
import { type Mp3Plan, planMp3 } from '@wavemill/core/mp3-target'
import { storedTags, type Tags } from '@wavemill/core/tags'
import { readMp3 } from '@wavemill/prisma/chunks'
import type { Database } from '@wavemill/prisma/database'
import { findFullRecord, finishRecord as makeReady } from '@wavemill/prisma/finish'
import { failForGood } from './fail-for-good.ts'
import { splitFrames } from './split-frames.ts'
import type { WorkerTools } from './worker-tools.ts'

// What is no longer than this is kept between the two readings; a longer one is read from the database again.
const MAX_KEPT_BYTES = 8 * 1_048_576
const noMp3 = {
  code: 'wrong-length',
  detail: 'the segments hold something else than whole MP3 frames',
  permanent: true,
} as const

/**
 * Safe to call at any time, again, and by several at once: one of them makes the record ready, the others change nothing.
 * Holds at most a window of the MP3, and a few bytes for each of its frames.
 */
export async function finishRecord(tools: WorkerTools, recordKey: bigint): Promise<void> {
  const { db, wavStore, log } = tools
  const record = await findFullRecord(db, recordKey)
  if (record === undefined) return
  try {
    const options = storedEncodeOptions(record.options)
    const plan = planMp3(record.source, record.samples, options)
    const tags = storedTags(record.options)
    const mp3 = await measureMp3(db, recordKey, { plan, rateControl: rateControlOf(options), tags })
    if (!(await makeReady(db, { recordKey, ...mp3 }))) return // somebody else did, or it was deleted
    log.info({ recordKey: recordKey.toString(), bytes: mp3.mp3Size }, 'A recording is ready')
  } catch (error) {
    if ((await findFullRecord(db, recordKey)) === undefined) return // its chunks were removed while they were read
    if (!(error instanceof TranscodeError)) throw error
    await failForGood(tools, recordKey, { code: error.code, detail: error.message })
    return
  }
  await wavStore.remove(recordKey)
}

/** What the segments' chunks together make, with tag and Info frame in front of them. */
async function measureMp3(
  db: Database,
  recordKey: bigint,
  { plan, rateControl, tags }: { plan: Mp3Plan; rateControl: RateControl; tags: Tags },
): Promise<{ head: Buffer; mp3Size: number; mp3Sha256: Buffer }> {
  const { tally, kept } = await tallyFrames(readMp3(db, recordKey), plan.totalFrames)
  const infoFrame = buildInfoFrame({ tally, paddingSamples: plan.paddingSamples, rateControl })
  const head = Buffer.concat([buildId3Tag(tags), infoFrame])
  const hash = createHash('sha256').update(head)
  for await (const bytes of kept ?? readMp3(db, recordKey)) hash.update(bytes)
  return { head, mp3Size: head.byteLength + tally.bytes, mp3Sha256: hash.digest() }
}

/** @throws TranscodeError if the segments together are not the planned frames: trying again would not change that. */
async function tallyFrames(
  mp3: AsyncIterable<Buffer>,
  totalFrames: number,
): Promise<{ tally: FrameTally; kept: readonly Buffer[] | undefined }> {
  const tally = createFrameTally()
  let kept: Buffer[] | undefined = []
  async function* keeping(): AsyncGenerator<Buffer> {
    let bytes = 0
    for await (const piece of mp3) {
      bytes += piece.byteLength
      if (bytes > MAX_KEPT_BYTES) kept = undefined
      kept?.push(piece)
      yield piece
    }
  }
  for await (const frames of splitFrames(keeping(), noMp3)) {
    for (const frame of frames) tally.add(frame)
  }
  if (tally.frames !== totalFrames) {
    const detail = `the segments hold ${tally.frames} frames, not ${totalFrames}`
    throw new TranscodeError('wrong-length', detail, { permanent: true })
  }
  return { tally, kept }
}
