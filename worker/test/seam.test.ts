/** No seam: at the joins the MP3 is as near to its source as anywhere else; and a join that is made badly shows. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decodeByMpg123 } from '../../test/support/judges.ts'
import { type Material, music, tones } from '../../test/support/material.ts'
import { createSurroundings, type Surroundings } from './recordings.ts'
import { storeInSegments, transcodeAll } from './support/transcode-all.ts'

const SEGMENTS = 3
const SAMPLES_PER_FRAME = 1152

let surroundings: Surroundings
beforeAll(async () => {
  surroundings = await createSurroundings()
})
afterAll(() => surroundings.close())

function recordingOf(material: Material) {
  return { samples: 12 * 44_100, channels: 1, material }
}

test.each([
  ['steady tones', tones(0.4)],
  ['music', music()],
])('the joins of %s are no further from the source than the rest', async (_, material) => {
  const key = await storeInSegments(surroundings, recordingOf(material), SEGMENTS)
  await transcodeAll(surroundings, key)
  expect(await peakAtJoins(key, material)).toBeLessThan(1.2)
})

test.each([
  ['without warm-up', { warmUp: false, lookAhead: true }],
  ['without look-ahead', { warmUp: true, lookAhead: false }],
])('segments that are encoded %s are seen at their joins', async (_, kept) => {
  const material = tones(0.4)
  const key = await storeInSegments(surroundings, recordingOf(material), SEGMENTS)
  await spoilSegments(key, kept)
  await transcodeAll(surroundings, key)
  expect(await peakAtJoins(key, material)).toBeGreaterThan(2)
})

/** Takes from each segment's plan what makes it fit its neighbours. */
async function spoilSegments(key: bigint, kept: { warmUp: boolean; lookAhead: boolean }): Promise<void> {
  const { segment } = surroundings.db.prisma
  const bytesOf = (frames: number) => BigInt(2 * frames * SAMPLES_PER_FRAME)
  for (const { seq, startByte, endByte, warmUpFrames } of await segment.findMany({
    where: { recordKey: key },
  })) {
    await segment.update({
      where: { recordKey_seq: { recordKey: key, seq } },
      data: {
        ...(!kept.warmUp && { startByte: startByte + bytesOf(warmUpFrames), warmUpFrames: 0 }),
        ...(!kept.lookAhead && seq < SEGMENTS - 1 && { endByte: endByte - bytesOf(1) }),
      },
    })
  }
}

/** The loudest difference from the source within two frames of a join, as a multiple of the loudest elsewhere. */
async function peakAtJoins(key: bigint, material: Material): Promise<number> {
  const heard = await decodeByMpg123(await surroundings.mp3Of(key))
  const laterSegments = { recordKey: key, seq: { gt: 0 } }
  const rows = await surroundings.db.prisma.segment.findMany({ where: laterSegments })
  // Frame 0 begins before the first sample by the delay of the encoder (576 samples) and of the decoder (529).
  const joins = rows.map(({ firstFrame }) => firstFrame * SAMPLES_PER_FRAME - 1105)
  const NEAR = 2 * SAMPLES_PER_FRAME
  const STEP = 576
  let [atJoins, elsewhere] = [0, 0]
  for (let start = NEAR; start < heard.length - NEAR; start += STEP) {
    let power = 0
    for (let index = start; index < start + STEP; index += 1) {
      power += ((heard[index] ?? 0) - material(index, 0, 44_100)) ** 2
    }
    if (joins.some((join) => Math.abs(join - start) < NEAR)) atJoins = Math.max(atJoins, power)
    else elsewhere = Math.max(elsewhere, power)
  }
  return Math.sqrt(atJoins / elsewhere)
}
