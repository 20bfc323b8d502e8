/** `npm run bench [-- part...]`: measures Wavemill against plain tools and prints each figure beside its bar. */
import { type Figure, renderTable } from './figures.ts'
import { measureHour } from './measure-hour.ts'
import { measureShort } from './measure-short.ts'
import { measureFirstStart, measureSecondStart } from './measure-start.ts'
import { measureUpload } from './measure-upload.ts'
import { type Workplace, withWorkplace } from './workplace.ts'

const parts: Readonly<Record<string, (workplace: Workplace) => Promise<Figure[]>>> = {
  start: measureSecondStart,
  short: measureShort,
  upload: measureUpload,
  hour: measureHour,
  'first-start': measureFirstStart,
}
// It downloads every package again, so it runs only where it is asked for.
const unlessAsked = Object.keys(parts).filter((name) => name !== 'first-start')

// An exit, unlike a signal's default, ends what was started and removes what was written.
process.once('SIGINT', () => process.exit(130))

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !Object.hasOwn(parts, name))
if (unknown.length > 0) {
  console.error(`No part is called ${unknown.join(', ')}. There are: ${Object.keys(parts).join(', ')}.`)
  process.exitCode = 1
} else {
  const figures: Figure[] = []
  for (const name of asked.length > 0 ? asked : unlessAsked) {
    const measure = parts[name]
    if (measure !== undefined) figures.push(...(await withWorkplace(measure)))
  }
  console.log(renderTable(figures))
}
