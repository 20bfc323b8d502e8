/** Asks Wavemill and the bare server in turn, at a steady pace, how long an answer takes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { get } from './client.ts'
import type { Rivals } from './rivals.ts'

const ASK_EVERY_MS = 20

export interface Latencies {
  readonly serviceMs: readonly number[]
  readonly bareMs: readonly number[]
}

/**
 * Asks Wavemill and the bare route by turns while `work` runs, and gives every answer's milliseconds.
 *
 * @param url what Wavemill is asked for.
 */
export async function probeDuring<T>(
  { service, bare, agent }: Rivals,
  work: () => Promise<T>,
  url = `${service.baseUrl}/health/live`,
): Promise<{ result: T; latencies: Latencies }> {
  const serviceMs: number[] = []
  const bareMs: number[] = []
  let isWorking = true

  async function ask(): Promise<void> {
    while (isWorking) {
      serviceMs.push(await timeAnswer(url))
      await sleep(ASK_EVERY_MS)
      bareMs.push(await timeAnswer(`${bare.baseUrl}/live`))
      await sleep(ASK_EVERY_MS)
    }
  }
  async function timeAnswer(url: string): Promise<number> {
    const askedAt = performance.now()
    const { status } = await get(url, agent)
    if (status !== 200) throw new Error(`${url} answered ${status}`)
    return performance.now() - askedAt
  }
  const working = work().finally(() => {
    isWorking = false
  })
  const [result] = await Promise.all([working, ask()])
  return { result, latencies: { serviceMs, bareMs } }
}
