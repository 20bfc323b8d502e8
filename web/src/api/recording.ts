/** A recording as the API tells of it, in lists, states and events. */

export type Status = 'queued' | 'processing' | 'ready' | 'failed'
export const statuses: readonly Status[] = ['queued', 'processing', 'ready', 'failed']

export interface Recording {
  readonly id: string
  readonly status: Status
  /** 0..1. */
  readonly progress: number
  readonly warnings: readonly string[]
  readonly source: { readonly fileName: string; readonly seconds: number; readonly bytes: number }
  readonly mp3: { readonly bytes: number } | null
  readonly failure: { readonly code: string; readonly reason: string } | null
  readonly title: string | null
  readonly createdAt: string
  /** The link that is given to others. */
  readonly url: string
  /** While it waits: how many are before it, and in how many seconds it should be ready. */
  readonly position?: number
  readonly estimatedSeconds?: number
}

export interface User {
  readonly id: string
  readonly name: string
  readonly token: string
}

export function isWaiting({ status }: Pick<Recording, 'status'>): boolean {
  return status === 'queued' || status === 'processing'
}

export function nameOf({ title, source }: Recording): string {
  return title ?? source.fileName
}
