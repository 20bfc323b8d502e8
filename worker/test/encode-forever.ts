/** A process that encodes silence without end with the ffmpeg that it is given; a test kills it. */
import { Readable } from 'node:stream'
import { encodeMp3 } from '../src/ffmpeg.ts'

function* silence() {
  for (;;) yield Buffer.alloc(176_400)
}

const mp3 = encodeMp3({
  ffmpegPath: process.argv[2] ?? 'ffmpeg',
  input: Readable.from(silence(), { objectMode: false }),
  encoding: 's16le',
  inputRate: 44_100,
  inputChannels: 2,
  outputRate: 44_100,
  outputChannels: 2,
  mixdown: undefined,
  outputSamples: undefined,
  rateControl: { kind: 'vbr', quality: 2 },
  reservoir: true,
  signal: new AbortController().signal,
})
for await (const _ of mp3);
