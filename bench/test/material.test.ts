/** The recordings that the benchmarks make: ffprobe's word for their length and format, and music to the encoder. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { recordingOf } from '../src/material.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wavemill-bench-'))
})
afterAll(() => rm(folder, { recursive: true }))

it('makes a stereo recording of exactly the seconds asked for, also past the block that repeats', async () => {
  const path = join(folder, 'a.wav')
  await writeFile(path, recordingOf({ seconds: 16 }).stream())
  const judged = execFileSync('ffprobe', [
    ...[
      '-v',
      'error',
      '-of',
      'csv=p=0',
      '-show_entries',
      'stream=codec_name,sample_rate,channels,duration_ts',
      path,
    ],
  ])
  expect(judged.toString().trim()).toBe(`pcm_s16le,44100,2,${16 * 44_100}`)
})

it('says beforehand how many bytes the whole file will have', () => {
  const recording = recordingOf({ audioBytes: 5_000_000 })
  let bytes = 0
  for (const chunk of recording.stream()) bytes += chunk.length
  expect(bytes).toBe(recording.bytes)
  expect(bytes).toBe(5_000_044)
})

it('is as hard to encode as music: an MP3 of quality 2 takes well over 128 kbit/s', async () => {
  const [wav, mp3] = [join(folder, 'b.wav'), join(folder, 'b.mp3')]
  await writeFile(wav, recordingOf({ seconds: 20 }).stream())
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', wav, '-q:a', '2', mp3])
  const bitrate = execFileSync('ffprobe', [
    '-v',
    'error',
    '-of',
    'csv=p=0',
    '-show_entries',
    'format=bit_rate',
    mp3,
  ])
  expect(Number(bitrate.toString())).toBeGreaterThan(128_000)
})
