/** Measures the upload of a recording of 1 GB: its time against a bare multipart route, and the API's memory. */
import { postMultipart, uploadRecording, waitUntilReady } from './client.ts'
import type { Effort } from './effort.ts'
import { type Figure, median, withUnit } from './figures.ts'
import { type Recording, recordingOf } from './material.ts'
import { type MemoryRound, memoryFigure } from './memory-figure.ts'
import { flushDisk } from './plain-tools.ts'
import { residentMb, watchPeakMb } from './processes.ts'
import { type Rivals, withRivals } from './rivals.ts'
import { settle } from './settle.ts'
import type { Workplace } from './workplace.ts'

const GIB = 1024 ** 3

export function measureUpload(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const audioBytes = Math.round((GIB * effort.share) / 4) * 4
  const recording = recordingOf({ audioBytes }, 'silence')
  const size = withUnit(audioBytes / GIB, 'GB')
  return withRivals(workplace, async (rivals) => {
    await settle(rivals)
    const bareMs: number[] = []
    const serviceMs: number[] = []
    const memory: MemoryRound[] = []
    const rounds = effort.rounds ?? 3
    for (let round = 1; round <= rounds; round += 1) {
      workplace.tell(`upload of ${size}, round ${round} of ${rounds}`)
      bareMs.push(await uploadToBareServer(rivals, recording))
      const { tookMs, ...held } = await uploadToService(rivals, recording)
      serviceMs.push(tookMs)
      memory.push(held)
    }
    return figuresOf(size, median(bareMs), median(serviceMs), memory)
  })
}

async function uploadToBareServer({ bare }: Rivals, recording: Recording): Promise<number> {
  await flushDisk()
  const startedAt = performance.now()
  const { status, body } = await postMultipart(`${bare.baseUrl}/upload`, {}, recording)
  if (status !== 200) throw new Error(`The bare server answered ${status}: ${body}`)
  return performance.now() - startedAt
}

async function uploadToService(
  { service, apiPid, user, agent }: Rivals,
  recording: Recording,
): Promise<MemoryRound & { tookMs: number }> {
  await flushDisk()
  const idleMb = await residentMb(apiPid)
  const peak = await watchPeakMb(apiPid)
  const startedAt = performance.now()
  const link = await uploadRecording(service.baseUrl, user, recording)
  const tookMs = performance.now() - startedAt
  const peakMb = await peak.stop()
  // Transcoding must not run beside the next round.
  await waitUntilReady(link, agent, 500)
  return { tookMs, idleMb, peakMb }
}

function figuresOf(
  size: string,
  bareMs: number,
  serviceMs: number,
  memory: readonly MemoryRound[],
): Figure[] {
  return [
    {
      what: `upload of ${size}: time`,
      detail: `${withUnit(serviceMs / 1000, 's')} against ${withUnit(bareMs / 1000, 's')} of a bare multipart route with fsync`,
      value: serviceMs / bareMs,
      unit: 'x',
      bar: 2,
    },
    memoryFigure(`upload of ${size}: memory of the API over idle`, memory, 80),
  ]
}
