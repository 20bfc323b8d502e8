/** Hears what becomes of the recordings that wait, on one connection, while somebody looks at the page. */
import { effect } from '@preact/signals'
import { eventsAddress } from '../api/calls.ts'
import type { Recording, User } from '../api/recording.ts'
import { changeRecording, forgetRecording, loadRecordings, waitingIds } from './recordings.ts'
import { user } from './session.ts'

/** As many as the API follows on one connection; the oldest are the next to be ready. */
const TOGETHER = 50
/** Recordings that come in a crowd are followed together. */
const SETTLE_MS = 250
const AGAIN_MS = 3_000

/** @returns what ends it. */
export function followRecordings(): () => void {
  let stream: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let followed = ''

  function open(of: User, ids: readonly string[]): void {
    followed = ids.join()
    stream = new EventSource(eventsAddress(of, ids))
    for (const name of ['status', 'ready', 'failed', 'deleted', 'expired']) {
      stream.addEventListener(name, ({ data }: MessageEvent<string>) => take(JSON.parse(data)))
    }
    // A browser connects again by itself, unless the answer was an error.
    stream.onerror = () => {
      if (stream?.readyState !== EventSource.CLOSED) return
      close()
      timer = setTimeout(() => void loadRecordings().then(follow), AGAIN_MS)
    }
  }

  function close(): void {
    stream?.close()
    stream = undefined
    followed = ''
  }

  function follow(): void {
    const of = user.peek()
    const ids = waitingIds.peek().slice(-TOGETHER)
    if (ids.join() === followed && !document.hidden) return
    close()
    if (of !== undefined && ids.length > 0 && !document.hidden) open(of, ids)
  }

  function followSoon(): void {
    clearTimeout(timer)
    timer = setTimeout(follow, SETTLE_MS)
  }

  // Another tab, or another machine, may have changed what was looked at last.
  const onVisibility = () => (document.hidden ? close() : void loadRecordings().then(follow))
  document.addEventListener('visibilitychange', onVisibility)
  const stop = effect(() => {
    if (waitingIds.value.join() !== followed) followSoon()
  })
  return () => {
    document.removeEventListener('visibilitychange', onVisibility)
    clearTimeout(timer)
    stop()
    close()
  }
}

type Told = Partial<Omit<Recording, 'status'>> & { readonly id: string; readonly status: string }

function take({ id, status, ...changes }: Told): void {
  if (status === 'deleted' || status === 'expired') forgetRecording(id)
  else if (status === 'queued' || status === 'processing' || status === 'ready' || status === 'failed')
    changeRecording(id, { status, ...changes })
}
