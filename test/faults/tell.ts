/** The suite's words: a line for each round, and a table of how soon the service was its old self after each kind of fault. */
import { type FaultKind, faultKinds } from './faults.ts'
import type { QueueKind } from './fleet.ts'
import type { RoundResult } from './round.ts'

export function describeRound(where: string, result: RoundResult): string {
  const { ready, failed, deleted, refused, normalAfterMs, tookMs, wrong } = result
  const records = `${ready} ready, ${failed} failed, ${deleted} deleted, ${refused} not taken`
  const times = `normal after ${seconds(normalAfterMs)} s, took ${seconds(tookMs)} s`
  return `${where}: ${records}; ${times}${wrong.length === 0 ? '' : `; ${wrong.length} WRONG`}`
}

/** A line about each kind that this machine cannot have, but for those that the other backend of the queue has. */
export function missingFaults(
  possible: readonly FaultKind[],
  queue: QueueKind,
  only: readonly string[] | undefined,
): string[] {
  return faultKinds
    .filter((kind) => !possible.includes(kind) && (only?.includes(kind.name) ?? true))
    .filter(({ needs }) => needs !== 'redis' || queue === 'redis')
    .map(({ name }) => `SKIPPED: "${name}" needs root, to make a small disk`)
}

/** How often the service was later than it may be, and a table of all. */
export function summarize(results: readonly RoundResult[]): { late: number; table: string } {
  const lines = [row('fault', 'rounds', 'median s', 'worst s', 'bar s')]
  let late = 0
  for (const { name, barMs } of faultKinds) {
    const times = results
      .filter(({ fault }) => fault.name === name)
      .map(({ normalAfterMs }) => normalAfterMs)
      .sort((a, b) => a - b)
    const worst = times.at(-1)
    const median = times[Math.floor(times.length / 2)]
    if (worst === undefined || median === undefined) continue
    late += times.filter((time) => time > barMs).length
    lines.push(row(name, String(times.length), seconds(median), seconds(worst), seconds(barMs)))
  }
  const all = {
    ready: sum(results, 'ready'),
    failed: sum(results, 'failed'),
    deleted: sum(results, 'deleted'),
  }
  const records = `${all.ready} records ready, ${all.failed} failed for the reason that we gave them, ${all.deleted} deleted`
  lines.push(`${results.length} rounds, ${records}; 0 lost, 0 orphaned, 0 wrong`)
  return { late, table: lines.join('\n') }
}

function sum(results: readonly RoundResult[], field: 'ready' | 'failed' | 'deleted'): number {
  return results.reduce((total, result) => total + result[field], 0)
}

function row(name: string, ...figures: readonly string[]): string {
  return name.padEnd(24) + figures.map((figure) => figure.padStart(10)).join('')
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}
