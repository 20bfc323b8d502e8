/** A process that encodes silence without end, or a file, with the ffmpeg that it is given; a test kills it. */
import { Readable } from 'node:stream'
import { encodeMp3 } from '../src/ffmpeg.ts'

function* silence() {
  for (;;) yield Buffer.alloc(176_400)
}

const [, , ffmpegPath = 'ffmpeg', path] = process.argv
const mp3 = encodeMp3({
  ffmpegPath,
  input:
    path === undefined
      ? Readable.from(silence(), { objectMode: false })
      : { path, startByte: 0, endByte: Number.MAX_SAFE_INTEGER },
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
