/** Writes amounts as people read them: durations, sizes, parts and moments. */
import type { Words } from '../words/en.ts'

const MEGABYTE = 1_000_000

/** `1:02:03`, or `2:03`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const [first = 0, ...rest] = parts[0] === 0 ? parts.slice(1) : parts
  return [first, ...rest.map((part) => String(part).padStart(2, '0'))].join(':')
}

export function megabytes(bytes: number, locale: string): string {
  const amount = bytes / MEGABYTE
  const maximumFractionDigits = amount < 10 ? 1 : 0
  return new Intl.NumberFormat(locale, { style: 'unit', unit: 'megabyte', maximumFractionDigits }).format(
    Math.max(amount, 0.1),
  )
}

export function percent(part: number, locale: string): string {
  return new Intl.NumberFormat(locale, { style: 'percent' }).format(part)
}

export function moment(time: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time))
}

export function about(seconds: number, say: Words): string {
  return seconds < 90 ? say.seconds(Math.max(1, Math.round(seconds))) : say.minutes(Math.round(seconds / 60))
}
