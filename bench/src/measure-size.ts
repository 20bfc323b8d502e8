/** Measures how much larger an MP3 of several segments is than that of one pass, which keeps LAME's bit reservoir. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { downloadTo, uploadRecording, waitUntilReady } from './client.ts'
import type { Effort } from './effort.ts'
import { type Figure, withUnit } from './figures.ts'
import { timePlainFfmpeg } from './plain-tools.ts'
import { makeMusic, makeSpeech, type Sound } from './real-sounds.ts'
import { type IdleService, withService } from './rivals.ts'
import type { Workplace } from './workplace.ts'

const SECONDS = 600
const SEGMENTS = 4
const MUSIC_BAR = 1.09
const ANYTHING_BAR = 1.11

export async function measureSize(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const seconds = SECONDS * effort.share
  const music = await makeMusic(workplace, seconds)
  const speech = await makeSpeech(workplace, seconds)
  const settings = { SEGMENT_SECONDS: String(seconds / SEGMENTS) }
  return withService(workplace, settings, async (idle) => {
    const figures = [await measureSound(workplace, idle, music, MUSIC_BAR)]
    if (speech !== undefined) figures.push(await measureSound(workplace, idle, speech, ANYTHING_BAR))
    return figures
  })
}

async function measureSound(
  workplace: Workplace,
  { service, user, agent }: IdleService,
  { name, wavPath }: Sound,
  bar: number,
): Promise<Figure> {
  workplace.tell(`size of ${name}`)
  const onePassPath = join(workplace.folder, 'one-pass.mp3')
  await timePlainFfmpeg(wavPath, onePassPath)
  const upload = { bytes: (await stat(wavPath)).size, stream: () => createReadStream(wavPath) }
  const link = await uploadRecording(service.baseUrl, user, upload)
  await waitUntilReady(link, agent, 100)
  const segmentsPath = join(workplace.folder, 'segments.mp3')
  await downloadTo(segmentsPath, link)

  const [onePassMb, segmentsMb] = [await megabytesOf(onePassPath), await megabytesOf(segmentsPath)]
  return {
    what: `${name}: size of the MP3 of ${SEGMENTS} segments`,
    detail: `${withUnit(segmentsMb, 'MB')} against ${withUnit(onePassMb, 'MB')} of one pass with the reservoir`,
    value: segmentsMb / onePassMb,
    unit: 'x',
    bar,
  }
}

async function megabytesOf(path: string): Promise<number> {
  return (await stat(path)).size / 1024 ** 2
}
