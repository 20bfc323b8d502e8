/** `npm run bench [-- part... --quick --rounds N]`: measures Wavemill against plain tools and prints each figure beside its bar. */
import { type Effort, parseCommandLine } from './effort.ts'
import { type Figure, renderTable } from './figures.ts'
import { measureCancel } from './measure-cancel.ts'
import { measureDownload } from './measure-download.ts'
import { measureDownloadsMemory } from './measure-downloads-memory.ts'
import { measureFlood } from './measure-flood.ts'
import { measureFloodingUser } from './measure-flooding-user.ts'
import { measureHour } from './measure-hour.ts'
import { measureHuge } from './measure-huge.ts'
import { measurePolls } from './measure-polls.ts'
import { measureRange } from './measure-range.ts'
import { measureSegments } from './measure-segments.ts'
import { measureShort } from './measure-short.ts'
import { measureSize } from './measure-size.ts'
import { measureSlowClients } from './measure-slow-clients.ts'
import { measureSmallDownloads } from './measure-small-downloads.ts'
import { measureFirstStart, measureSecondStart } from './measure-start.ts'
import { measureUpload } from './measure-upload.ts'
import { measureWaiters } from './measure-waiters.ts'
import { type Workplace, withWorkplace } from './workplace.ts'

const parts: Readonly<Record<string, (workplace: Workplace, effort: Effort) => Promise<Figure[]>>> = {
  start: measureSecondStart,
  short: measureShort,
  flood: measureFlood,
  upload: measureUpload,
  hour: measureHour,
  segments: measureSegments,
  huge: measureHuge,
  'flooding-user': measureFloodingUser,
  'slow-clients': measureSlowClients,
  size: measureSize,
  download: measureDownload,
  'small-downloads': measureSmallDownloads,
  polls: measurePolls,
  range: measureRange,
  waiters: measureWaiters,
  'downloads-memory': measureDownloadsMemory,
  cancel: measureCancel,
  'first-start': measureFirstStart,
}
// One downloads every package again: it runs only where it is asked for.
const unlessAsked = Object.keys(parts).filter((name) => name !== 'first-start')

// An exit, unlike a signal's default, ends what was started and removes what was written.
process.once('SIGINT', () => process.exit(130))

const { parts: asked, effort } = parseCommandLine(process.argv.slice(2))
const unknown = asked.filter((name) => !Object.hasOwn(parts, name))
if (unknown.length > 0) {
  console.error(`No part is called ${unknown.join(', ')}. There are: ${Object.keys(parts).join(', ')}.`)
  process.exitCode = 1
} else {
  const figures: Figure[] = []
  try {
    for (const name of asked.length > 0 ? asked : unlessAsked) {
      const measure = parts[name]
      if (measure !== undefined) figures.push(...(await withWorkplace((place) => measure(place, effort))))
    }
  } finally {
    // Also where a part failed: those before it took their time.
    console.log(renderTable(figures))
  }
}
