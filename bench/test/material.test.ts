/** The recordings that the benchmarks make: ffprobe's word for their length and format, and music to the encoder. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ffprobe } from '../../test/support/judges.ts'
import { missing } from '../../test/support/requirement.ts'
import { recordingOf } from '../src/material.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wavemill-bench-'))
})
afterAll(() => rm(folder, { recursive: true }))

it('says beforehand how many bytes the whole file will have', () => {
  const recording = recordingOf({ audioBytes: 5_000_000 })
  let bytes = 0
  for (const chunk of recording.stream()) bytes += chunk.length
  expect(bytes).toBe(recording.bytes)
  expect(bytes).toBe(5_000_044)
})

describe.skipIf(missing('ffmpeg'))('as ffmpeg sees them', () => {
  it.each(['music', 'silence'] as const)(
    '%s lasts exactly as long as asked for, also past the block that repeats',
    async (sound) => {
      const path = join(folder, `${sound}.wav`)
      await writeFile(path, recordingOf({ seconds: 16 }, sound).stream())
      const { streams } = await ffprobe(path)
      const format = { codec_name: 'pcm_s16le', sample_rate: '44100', channels: 2 }
      expect(streams[0]).toMatchObject({ ...format, duration_ts: 16 * 44_100 })
    },
  )

  it('music is as hard to encode as any: its MP3 of quality 2 takes well over 128 kbit/s', async () => {
    const [wav, mp3] = [join(folder, 'b.wav'), join(folder, 'b.mp3')]
    await writeFile(wav, recordingOf({ seconds: 20 }).stream())
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', wav, '-q:a', '2', mp3])
    expect(Number((await ffprobe(mp3)).format.bit_rate)).toBeGreaterThan(128_000)
  })
})
