/** The WAVs that are on their way: a few at once, the others wait; what the network broke is tried again. */
import { signal } from '@preact/signals'
import { Refusal } from '../api/problem.ts'
import type { User } from '../api/recording.ts'
import { type Sent, sendWav } from '../api/send-wav.ts'
import { tokenRefused } from './session.ts'
import { withTurn } from './turns.ts'

export interface Upload {
  readonly key: string
  readonly fileName: string
  readonly bytes: number
  readonly phase: 'waiting' | 'sending' | 'pausing' | 'refused'
  /** 0..1 of its bytes. */
  readonly progress: number
  readonly refusal?: Refusal
}

export interface NewUpload {
  readonly file: Blob
  readonly fileName: string
  readonly options: Readonly<Record<string, string>>
}

/** Those that are not recordings yet. */
export const uploads = signal<readonly Upload[]>([])

const controllers = new Map<string, AbortController>()

/** @param onSent told of each one that was accepted; it is no upload any more then. */
export function addUploads(
  user: User,
  all: readonly NewUpload[],
  onSent: (sent: Sent, upload: NewUpload) => Promise<void>,
): void {
  const added = all.map((upload) => ({ upload, key: randomKey() }))
  uploads.value = [
    ...uploads.value,
    ...added.map(({ key, upload }) => ({
      key,
      fileName: upload.fileName,
      bytes: upload.file.size,
      phase: 'waiting' as const,
      progress: 0,
    })),
  ]
  for (const { key, upload } of added) void run(user, key, upload, onSent)
}

/** Also takes a refused one off the page. */
export function cancelUpload(key: string): void {
  controllers.get(key)?.abort()
  remove(key)
}

export function cancelAll(): void {
  for (const { key } of uploads.value) cancelUpload(key)
}

async function run(
  user: User,
  key: string,
  upload: NewUpload,
  onSent: (sent: Sent, upload: NewUpload) => Promise<void>,
): Promise<void> {
  const controller = new AbortController()
  const { signal } = controller
  controllers.set(key, controller)
  try {
    const sent = await untilAnswered(signal, key, () => {
      return withTurn(signal, () => {
        change(key, { phase: 'sending', progress: 0 })
        const onProgress = (progress: number) => change(key, { progress })
        return sendWav({ user, idempotencyKey: key, signal, onProgress, ...upload })
      })
    })
    await onSent(sent, upload)
    remove(key)
  } catch (error) {
    if (signal.aborted) return
    const refusal = error instanceof Refusal ? error : new Refusal(0, 'unknown', String(error))
    if (refusal.status === 401) tokenRefused()
    change(key, { phase: 'refused', refusal })
  } finally {
    controllers.delete(key)
  }
}

const LONGEST_PAUSE_SECONDS = 60

/** Tries again what may pass, as long as the page is open: after what the answer says, or ever longer. */
async function untilAnswered<T>(signal: AbortSignal, key: string, send: () => Promise<T>): Promise<T> {
  for (let pauseSeconds = 1; ; pauseSeconds = Math.min(pauseSeconds * 2, LONGEST_PAUSE_SECONDS)) {
    try {
      return await send()
    } catch (error) {
      if (signal.aborted || !(error instanceof Refusal) || !error.isPassing) throw error
      change(key, { phase: 'pausing', refusal: error })
      await pause(signal, (error.retryAfter ?? pauseSeconds) * 1000)
    }
  }
}

/** Ends early when the network is back. */
function pause(signal: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      removeEventListener('online', end)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    addEventListener('online', end)
    signal.addEventListener('abort', end)
  })
}

function change(key: string, changes: Partial<Upload>): void {
  uploads.value = uploads.value.map((upload) => (upload.key === key ? { ...upload, ...changes } : upload))
}

function remove(key: string): void {
  uploads.value = uploads.value.filter((upload) => upload.key !== key)
}

/** Not crypto.randomUUID(), which only secure pages have: Wavemill may run without TLS in a house. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}
