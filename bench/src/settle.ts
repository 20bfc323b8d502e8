/** Brings a started service into the state whose memory counts as idle. */
import { setTimeout as sleep } from 'node:timers/promises'
import { uploadRecording, waitUntilReady } from './client.ts'
import { recordingOf } from './material.ts'
import type { IdleService } from './rivals.ts'

// V8 gives back what a start or a job leaves behind only after some quiet seconds.
const QUIET_MS = 20_000

/**
 * One short recording goes through, so that what is loaded at first use counts as idle; then all is left in peace. The
 * lowest memory of all that could be called idle, so a peak over it flatters nothing.
 */
export async function settle({ service, user, agent }: IdleService): Promise<void> {
  await waitUntilReady(await uploadRecording(service.baseUrl, user, recordingOf({ seconds: 3 })), agent, 100)
  await sleep(QUIET_MS)
}
