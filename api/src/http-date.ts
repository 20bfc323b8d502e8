/** Reads the dates of HTTP's header fields (RFC 9110, section 5.6.7); `Date.toUTCString` writes them. */

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const month = `(?<month>${months.join('|')})`
const time = '(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)'
const shortDay = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const longDay = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day'

/** The one that is written today, and the two that must still be understood: of RFC 850 and of C's asctime. */
const formats = [
  new RegExp(`^${shortDay}, (?<day>\\d\\d) ${month} (?<year>\\d{4}) ${time} GMT$`),
  new RegExp(`^${longDay}, (?<day>\\d\\d)-${month}-(?<shortYear>\\d\\d) ${time} GMT$`),
  new RegExp(`^${shortDay} ${month} (?<day>[ \\d]\\d) ${time} (?<year>\\d{4})$`),
]

/**
 * @param now milliseconds since 1970: a year of two digits is taken to be at most 50 years after it.
 * @returns milliseconds since 1970; undefined if `text` is no date, or one that no calendar has.
 */
export function parseHttpDate(text: string, now = Date.now()): number | undefined {
  for (const format of formats) {
    const fields = format.exec(text)?.groups
    if (fields !== undefined) return timeOf(fields, now)
  }
  return undefined
}

function timeOf(fields: Readonly<Record<string, string>>, now: number): number | undefined {
  const { year, shortYear = '', hour, minute, second } = fields
  const day = Number(fields.day)
  const month = months.indexOf(fields.month ?? '')
  const at = (fullYear: number) =>
    Date.UTC(fullYear, month, day, Number(hour), Number(minute), Number(second))
  const fullYear = year === undefined ? expandYear(Number(shortYear), at, now) : Number(year)
  const isInCalendar = new Date(Date.UTC(fullYear, month, day)).getUTCDate() === day
  return isInCalendar ? at(fullYear) : undefined
}

/** What seems to lie more than 50 years ahead is the latest such year in the past. */
function expandYear(shortYear: number, at: (fullYear: number) => number, now: number): number {
  const inFiftyYears = new Date(now)
  inFiftyYears.setUTCFullYear(inFiftyYears.getUTCFullYear() + 50)
  const latest = inFiftyYears.getUTCFullYear()
  const fullYear = latest - ((latest - shortYear) % 100)
  return at(fullYear) > inFiftyYears.getTime() ? fullYear - 100 : fullYear
}
