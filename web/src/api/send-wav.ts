/** Sends a WAV as a raw body, and tells how much of it is on its way. */
import { offline, type Refusal, refusalOf } from './problem.ts'
import type { User } from './recording.ts'

export interface Sending {
  readonly user: User
  readonly file: Blob
  readonly fileName: string
  /** Encode options and tags, as the API names them. */
  readonly options: Readonly<Record<string, string>>
  /** The same for each try, so that a try whose answer was lost makes no second recording. */
  readonly idempotencyKey: string
  readonly signal: AbortSignal
  /** @param part 0..1. */
  onProgress(part: number): void
}

export interface Sent {
  readonly id: string
  readonly url: string
}

/**
 * By XMLHttpRequest, because fetch tells nothing of an upload's progress.
 *
 * @throws Refusal, or the signal's reason.
 */
export function sendWav({ user, file, fileName, options, signal, ...how }: Sending): Promise<Sent> {
  const query = new URLSearchParams({ user: user.id, filename: fileName, ...options })
  return new Promise((resolve, reject: (reason: Refusal | unknown) => void) => {
    signal.throwIfAborted()
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    signal.addEventListener('abort', abort)
    request.upload.onprogress = ({ loaded, total }) => how.onProgress(total === 0 ? 0 : loaded / total)
    request.onload = () => {
      const { status, responseText } = request
      if (status === 202) resolve(JSON.parse(responseText))
      else reject(refusalOf(status, responseText, request.getResponseHeader('retry-after')))
    }
    request.onerror = () => reject(offline())
    request.onabort = () => reject(signal.reason)
    request.onloadend = () => signal.removeEventListener('abort', abort)
    request.open('POST', `record?${query}`)
    request.setRequestHeader('content-type', 'audio/wav')
    request.setRequestHeader('authorization', `Bearer ${user.token}`)
    request.setRequestHeader('idempotency-key', how.idempotencyKey)
    request.send(file)
  })
}
