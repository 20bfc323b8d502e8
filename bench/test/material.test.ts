/** The recordings that the benchmarks make: ffprobe's word for their length and format, and music to the encoder. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeByFfmpeg, ffprobe } from '../../test/support/judges.ts'
import { missing } from '../../test/support/requirement.ts'
import { longFloat, recordingOf } from '../src/material.ts'
import { wavHead } from '../src/wav-head.ts'

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

it('states sizes beyond 32 bits where EBU Tech 3306 puts them', () => {
  const audioBytes = 6 * 1024 ** 3
  const head = wavHead(longFloat, audioBytes)
  expect(head.toString('latin1', 0, 4)).toBe('RF64')
  expect(head.readUInt32LE(4)).toBe(0xffff_ffff)
  expect(head.toString('latin1', 12, 16)).toBe('ds64')
  expect(head.readBigUInt64LE(20)).toBe(BigInt(head.length + audioBytes - 8))
  expect(head.readBigUInt64LE(28)).toBe(BigInt(audioBytes))
  expect(head.readBigUInt64LE(36)).toBe(BigInt(audioBytes / 16))
  expect(head.toString('latin1', head.length - 8, head.length - 4)).toBe('data')
  expect(head.readUInt32LE(head.length - 4)).toBe(0xffff_ffff)
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

  it('one of 64-bit floats in RF64 is what it says, and the music of any other', async () => {
    const path = join(folder, 'float.wav')
    await writeFile(path, recordingOf({ seconds: 9 }, 'music', longFloat).stream())
    const { streams } = await ffprobe(path)
    const format = { codec_name: 'pcm_f64le', sample_rate: '48000', channels: 2 }
    expect(streams[0]).toMatchObject({ ...format, duration_ts: 9 * 48_000 })
    const samples = await decodeByFfmpeg(path)
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
    expect(peak).toBeGreaterThan(0.4)
    expect(peak).toBeLessThan(1)
  })

  it('music is as hard to encode as any: its MP3 of quality 2 takes well over 128 kbit/s', async () => {
    const [wav, mp3] = [join(folder, 'b.wav'), join(folder, 'b.mp3')]
    await writeFile(wav, recordingOf({ seconds: 20 }).stream())
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', wav, '-q:a', '2', mp3])
    expect(Number((await ffprobe(mp3)).format.bit_rate)).toBeGreaterThan(128_000)
  })
})
