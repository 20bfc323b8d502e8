/** The job contract: ids, and what counts as a job's data. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jobIdOf, parseSegmentJob } from '../src/queue.ts'

const segmentJobs = fc.record({
  recordKey: fc.bigInt({ min: 1n, max: 9_223_372_036_854_775_807n }).map(String),
  seq: fc.integer({ min: 0, max: 2_147_483_647 }),
})

describe('jobIdOf', () => {
  it('names the record and the segment', () => {
    expect(jobIdOf({ recordKey: '17', seq: 3 })).toBe('r17-s3')
  })

  it('gives different segments different ids, none of which BullMQ refuses', () => {
    fc.assert(
      fc.property(segmentJobs, segmentJobs, (a, b) => {
        const isSame = a.recordKey === b.recordKey && a.seq === b.seq
        expect(jobIdOf(a) === jobIdOf(b)).toBe(isSame)
        expect(jobIdOf(a)).not.toContain(':')
        expect(jobIdOf(a)).not.toMatch(/^\d+$/)
      }),
    )
  })
})

describe('parseSegmentJob', () => {
  it('reads back every job that can exist, also by way of JSON', () => {
    fc.assert(
      fc.property(segmentJobs, (job) => {
        expect(parseSegmentJob(JSON.parse(JSON.stringify(job)))).toEqual(job)
      }),
    )
  })

  it('takes only what it knows out of data that says more', () => {
    expect(parseSegmentJob({ recordKey: '1', seq: 0, path: '/etc/passwd' })).toEqual({
      recordKey: '1',
      seq: 0,
    })
  })

  it('never throws, and what it accepts is a key of PostgreSQL', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), fc.anything(), (data, recordKey, seq) => {
        for (const candidate of [data, { recordKey, seq }, { recordKey: '1', seq }, { recordKey, seq: 0 }]) {
          const job = parseSegmentJob(candidate)
          if (job === undefined) continue
          expect(BigInt(job.recordKey) > 0n && BigInt(job.recordKey) < 2n ** 63n).toBe(true)
          expect(Number.isInteger(job.seq) && job.seq >= 0 && job.seq < 2 ** 31).toBe(true)
        }
      }),
    )
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an array', ['1', 0]],
    ['a key that is a number', { recordKey: 1, seq: 0 }],
    ['an empty key', { recordKey: '', seq: 0 }],
    ['the key zero', { recordKey: '0', seq: 0 }],
    ['a negative key', { recordKey: '-1', seq: 0 }],
    ['a key with a leading zero', { recordKey: '01', seq: 0 }],
    ['a key with a space', { recordKey: '1 ', seq: 0 }],
    ['a key in hexadecimal', { recordKey: '0x1', seq: 0 }],
    ['a key beyond a bigint', { recordKey: '9223372036854775808', seq: 0 }],
    ['a key that tries to be SQL', { recordKey: "1'; DROP TABLE record; --", seq: 0 }],
    ['no segment', { recordKey: '1' }],
    ['a segment that is a text', { recordKey: '1', seq: '0' }],
    ['a negative segment', { recordKey: '1', seq: -1 }],
    ['half a segment', { recordKey: '1', seq: 0.5 }],
    ['a segment that is no number', { recordKey: '1', seq: Number.NaN }],
    ['a segment beyond an integer', { recordKey: '1', seq: 2_147_483_648 }],
  ])('refuses %s', (_what, data) => {
    expect(parseSegmentJob(data)).toBeUndefined()
  })
})
