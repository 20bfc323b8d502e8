/** Measures a range of 1 MiB out of the middle of a large MP3 against the whole of an MP3 of 1 MiB. */
import { drain } from './drain.ts'
import type { Effort } from './effort.ts'
import { type Figure, median, withUnit } from './figures.ts'
import { withService } from './rivals.ts'
import { HOUR_MP3_BYTES, storeMp3 } from './stored-mp3.ts'
import type { Workplace } from './workplace.ts'

const MIB = 1024 ** 2

export function measureRange(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const largeBytes = HOUR_MP3_BYTES * effort.share
  const size = withUnit(largeBytes / 1e6, 'MB')
  return withService(workplace, {}, async (idle) => {
    const large = await storeMp3(idle, largeBytes)
    const small = await storeMp3(idle, MIB)
    const start = Math.floor(largeBytes / 2)
    const range = { range: `bytes=${start}-${start + MIB - 1}` }
    const wholeMs: number[] = []
    const rangeMs: number[] = []
    const rounds = effort.rounds ?? 50
    workplace.tell(`1 MiB out of ${size}, ${rounds} rounds`)
    for (let round = 1; round <= rounds; round += 1) {
      wholeMs.push((await drain(small, idle.agent)).tookMs)
      const part = await drain(large, idle.agent, range)
      if (part.bytes !== MIB) throw new Error(`The range has ${part.bytes} bytes`)
      rangeMs.push(part.tookMs)
    }
    return [figureOf(size, median(rangeMs), median(wholeMs))]
  })
}

function figureOf(size: string, rangeMs: number, wholeMs: number): Figure {
  return {
    what: `a range of 1 MiB out of ${size}: time`,
    detail: `${withUnit(rangeMs, 'ms')} against ${withUnit(wholeMs, 'ms')} of an MP3 of 1 MiB`,
    value: rangeMs / wholeMs,
    unit: 'x',
    bar: 1.5,
  }
}
