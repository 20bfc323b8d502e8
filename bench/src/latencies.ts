/** Asks Wavemill and the bare server in turn, at a steady pace, how long an answer takes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { get } from './client.ts'
import type { Rivals } from './rivals.ts'

const ASK_EVERY_MS = 20

export interface Latencies {
  readonly serviceMs: readonly number[]
  readonly bareMs: readonly number[]
}

/** Begins to ask `/health/live` and the bare route by turns; `stop` ends it and gives every answer's milliseconds. */
export function probeLatencies({ service, bare, agent }: Rivals): { stop(): Promise<Latencies> } {
  const serviceMs: number[] = []
  const bareMs: number[] = []
  let isAsking = true
  const asking = (async () => {
    while (isAsking) {
      serviceMs.push(await timeAnswer(`${service.baseUrl}/health/live`))
      await sleep(ASK_EVERY_MS)
      bareMs.push(await timeAnswer(`${bare.baseUrl}/live`))
      await sleep(ASK_EVERY_MS)
    }
  })()
  return {
    stop: async () => {
      isAsking = false
      await asking
      return { serviceMs, bareMs }
    },
  }

  async function timeAnswer(url: string): Promise<number> {
    const askedAt = performance.now()
    const { status } = await get(url, agent)
    if (status !== 200) throw new Error(`${url} answered ${status}`)
    return performance.now() - askedAt
  }
}
