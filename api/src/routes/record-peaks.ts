/** GET /record/peaks: a recording's waveform, as JSON of audiowaveform (its data format, version 2). */
import { planPeaks } from '@wavemill/core/peaks'
import type { Database } from '@wavemill/prisma/database'
import { readPeaks } from '@wavemill/prisma/peaks'
import Type from 'typebox'
import type { ReadMoment } from '../moment.ts'
import { cacheControlOf, readyMp3Of } from '../mp3-headers.ts'
import { Problem } from '../problem.ts'
import { LinkQuery, linkedRecordOf, parseLink, refuseFailed, WaitingState } from '../record-state.ts'
import type { Route } from '../route.ts'

const Peaks = Type.Object({
  version: Type.Literal(2),
  /** One: each pixel covers all channels of the recording. */
  channels: Type.Literal(1),
  sample_rate: Type.Integer(),
  samples_per_pixel: Type.Integer(),
  bits: Type.Literal(8),
  /** Pixels. */
  length: Type.Integer(),
  /** The lowest and the highest sample of each pixel, -128..127, one after the other. */
  data: Type.Array(Type.Integer()),
})

const schema = { querystring: LinkQuery, response: { 200: Peaks, 202: WaitingState } }

export function recordPeaksRoute(parts: {
  readonly db: Database
  readonly readMoment: ReadMoment
}): Route<typeof schema> {
  return {
    schema,
    async handler(request, reply) {
      const { record: found, waiting } = await parts.readMoment(parseLink(request.query))
      const record = linkedRecordOf(found)
      if (waiting !== undefined) {
        return reply.code(202).header('retry-after', waiting.retryAfter).send(waiting)
      }
      refuseFailed(record)
      const peaks = await readPeaks(parts.db, record.key)
      if (peaks === undefined) throw new Problem('no-peaks', 'This recording has no waveform.')
      return reply.header('cache-control', cacheControlOf(readyMp3Of(record))).send({
        version: 2,
        channels: 1,
        sample_rate: record.sampleRate,
        samples_per_pixel: planPeaks(record.samples).samplesPerPixel,
        bits: 8,
        length: peaks.length / 2,
        data: [...new Int8Array(peaks.buffer, peaks.byteOffset, peaks.length)],
      })
    },
  }
}
