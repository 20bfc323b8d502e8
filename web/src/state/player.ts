/** Which recording is being listened to: one at a time. */
import { signal } from '@preact/signals'

/** The recording whose player is open. */
export const opened = signal<string | undefined>(undefined)
export const isPlaying = signal(false)
