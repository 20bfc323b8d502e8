/** Brings a started service into the state whose memory counts as idle. */
import { setTimeout as sleep } from 'node:timers/promises'
import { uploadRecording, waitUntilReady } from './client.ts'
import { recordingOf } from './material.ts'
import type { IdleService } from './rivals.ts'

const QUIET_MS = 20_000

/**
 * One short recording goes through, so that what is loaded at first use counts as idle; then all is left in peace. V8 may
 * hold a start's heap for longer than that, so memory is compared with the lowest idle of a whole run.
 */
export async function settle({ service, user, agent }: IdleService): Promise<void> {
  await waitUntilReady(await uploadRecording(service.baseUrl, user, recordingOf({ seconds: 3 })), agent, 100)
  await sleep(QUIET_MS)
}
