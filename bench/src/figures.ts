/** Medians, percentiles and the table in which each figure stands beside its bar. */

export interface Figure {
  readonly what: string
  /** What Wavemill and the plain tool took each, for people: `"3.1 s against 2.2 s"`. */
  readonly detail: string
  readonly value: number
  readonly unit: 'x' | 'MB' | 'ms' | 's' | 'GB' | 'h' | 'samples' | 'answers'
  /** The most that `value` may be; absent: only told. */
  readonly bar?: number
}

/** The middle value; of an even count the mean of the middle two. @throws RangeError for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]
  if (upper === undefined || lower === undefined) throw new RangeError('No values to take a median of')
  return (lower + upper) / 2
}

/** The smallest value that at least `share` (0..1) of all values do not exceed. @throws RangeError for no values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new RangeError('No values to take a percentile of')
  return value
}

/** A Markdown table, so that it can be pasted into a report as it is. */
export function renderTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.what,
    figure.detail,
    withUnit(figure.value, figure.unit),
    figure.bar === undefined ? '' : `<= ${withUnit(figure.bar, figure.unit)}`,
    verdict(figure),
  ])
  const table = [['measured', 'Wavemill against the plain tool', 'figure', 'bar', ''], ...rows]
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(3, ...table.map((row) => row[column]?.length ?? 0)),
  )
  const lines = table.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  )
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

/** `1.23 x`, `45 MB`, `12.3 ms`: three significant digits. */
export function withUnit(value: number, unit: Figure['unit']): string {
  return `${Number(value.toPrecision(3))} ${unit}`
}

function verdict(figure: Figure): string {
  if (figure.bar === undefined) return ''
  return figure.value <= figure.bar ? 'pass' : 'MISS'
}
