/** The user's recordings as the page shows them: the pages that were asked for, changed as events come in. */
import { computed, signal } from '@preact/signals'
import { deleteRecording, listRecordings, readRecording } from '../api/calls.ts'
import { Refusal } from '../api/problem.ts'
import { isWaiting, type Recording, type Status, type User } from '../api/recording.ts'
import type { Sent } from '../api/send-wav.ts'
import { tokenRefused, user } from './session.ts'

export const recordings = signal<readonly Recording[]>([])
export const filter = signal<Status | undefined>(undefined)
/** Undefined on the last page. */
export const nextCursor = signal<string | undefined>(undefined)
export const isLoading = signal(false)
/** Why the list could not be read, until it can. */
export const listRefusal = signal<Refusal | undefined>(undefined)

/** Deleted for the eye, but not yet for good: there is still time to take it back. */
export const leaving = signal<readonly Recording[]>([])

export const waitingIds = computed(() => recordings.value.filter(isWaiting).map(({ id }) => id))

let reading = 0

/** Reads the first page anew. */
export async function loadRecordings(): Promise<void> {
  await read(async (of) => {
    const page = await listRecordings(of, { status: filter.peek() })
    return () => {
      recordings.value = page.records
      nextCursor.value = page.nextCursor ?? undefined
    }
  })
}

export async function loadMore(): Promise<void> {
  const cursor = nextCursor.peek()
  if (cursor === undefined) return
  await read(async (of) => {
    const page = await listRecordings(of, { status: filter.peek(), cursor })
    return () => {
      const known = new Set(recordings.value.map(({ id }) => id))
      recordings.value = [...recordings.value, ...page.records.filter(({ id }) => !known.has(id))]
      nextCursor.value = page.nextCursor ?? undefined
    }
  })
}

/** What is read is shown only if nothing else was asked for meanwhile. */
async function read(work: (of: User) => Promise<() => void>): Promise<void> {
  const of = user.peek()
  if (of === undefined) return
  const mine = ++reading
  isLoading.value = true
  try {
    const show = await work(of)
    if (mine !== reading) return
    show()
    listRefusal.value = undefined
  } catch (error) {
    if (mine === reading) listRefusal.value = refused(error)
  } finally {
    if (mine === reading) isLoading.value = false
  }
}

/** A recording that was just accepted comes first. */
export async function addSent(of: User, { id, url }: Sent, title: string | undefined): Promise<void> {
  const state = await readRecording(of, id)
  if (user.peek()?.id !== of.id) return
  if (filter.peek() !== undefined && filter.peek() !== state.status) return
  const recording = { ...state, url, title: title ?? null }
  recordings.value = [recording, ...recordings.value.filter((other) => other.id !== id)]
}

/** @param changes what an event says of it. */
export function changeRecording(id: string, changes: Partial<Recording>): void {
  recordings.value = recordings.value.map((one) => (one.id === id ? { ...one, ...changes } : one))
}

/** It is gone already, whoever deleted it. */
export function forgetRecording(id: string): void {
  recordings.value = recordings.value.filter((one) => one.id !== id)
}

const TIME_TO_UNDO_MS = 6_000
const timers = new Map<string, ReturnType<typeof setTimeout>>()

/** Takes it off the page at once, and deletes it when there was time to think again. */
export function removeRecording(recording: Recording): void {
  forgetRecording(recording.id)
  leaving.value = [...leaving.value, recording]
  timers.set(
    recording.id,
    setTimeout(() => void removeForGood(recording), TIME_TO_UNDO_MS),
  )
}

export function undoRemoval(recording: Recording): void {
  forgetLeaving(recording)
  recordings.value = [...recordings.value, recording].sort((one, other) =>
    other.createdAt.localeCompare(one.createdAt),
  )
}

/** Before the page goes away, or another user comes. */
export function removeAllForGood(): void {
  for (const recording of leaving.peek()) void removeForGood(recording)
}
addEventListener('pagehide', removeAllForGood)

async function removeForGood(recording: Recording): Promise<void> {
  const of = user.peek()
  forgetLeaving(recording)
  if (of === undefined) return
  try {
    await deleteRecording(of, recording.id)
  } catch (error) {
    listRefusal.value = refused(error)
    undoRemoval(recording)
  }
}

function forgetLeaving({ id }: Recording): void {
  clearTimeout(timers.get(id))
  timers.delete(id)
  leaving.value = leaving.value.filter((one) => one.id !== id)
}

function refused(error: unknown): Refusal {
  if (!(error instanceof Refusal)) throw error
  if (error.status === 401) tokenRefused()
  return error
}
