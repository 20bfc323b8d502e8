/** One ffmpeg at a time, real or a script in its place: what comes out, how it fails, and that it dies. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mpg123SampleCount } from '../../test/support/judges.ts'
import { type Encoding, encodeMp3, probeFfmpeg } from '../src/ffmpeg.ts'
import { createScriptFolder, isAlive, type ScriptFolder, untilGone } from './fake-ffmpeg.ts'

let folder: ScriptFolder
beforeAll(async () => {
  folder = await createScriptFolder()
})
afterAll(() => folder.remove())

/** `seconds` of 16-bit stereo noise at 44.1 kHz, without end where it is undefined. */
function noise(seconds?: number): Readable {
  const block = Buffer.alloc(44_100 * 4)
  for (let at = 0, state = 1; at < block.length; at += 2) {
    state = (state * 48_271) % 2_147_483_647
    block.writeInt16LE((state % 20_000) - 10_000, at)
  }
  function* blocks() {
    for (let second = 0; seconds === undefined || second < seconds; second++) yield block
  }
  return Readable.from(blocks(), { objectMode: false })
}

function encode(changes: Partial<Encoding> = {}): Readable {
  return encodeMp3({
    ffmpegPath: 'ffmpeg',
    input: noise(2),
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
    ...changes,
  })
}

async function collect(mp3: Readable): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of mp3) parts.push(part)
  return Buffer.concat(parts)
}

test('it gives whole frames from the first byte on, as many as the arithmetic of the engine says', async () => {
  const mp3 = await collect(encode())
  expect(mp3.readUInt16BE(0) & 0xffe0).toBe(0xffe0)
  expect(mp3.includes('Xing') || mp3.includes('Info') || mp3.includes('ID3')).toBe(false)
  // F = (N + 576 + P) / 1152 with the smallest P >= 576: (88,200 + 576 + 1,080) / 1152
  expect(await mpg123SampleCount(mp3)).toBe(78 * 1152)
})

test('a part of a file, whatever the file is called, gives what its bytes give', async () => {
  const bytes = await buffer(noise(3))
  const path = join(folder.dir, 'a,b: %d ,,:c.wav')
  await writeFile(path, bytes)
  const [startByte, endByte] = [44, bytes.length - 10_000]
  const read = await collect(encode({ input: { path, startByte, endByte } }))
  const input = Readable.from([bytes.subarray(startByte, endByte)], { objectMode: false })
  expect(read.equals(await collect(encode({ input })))).toBe(true)
})

test('a file that is gone fails the attempt', async () => {
  const input = { path: join(folder.dir, 'nowhere'), startByte: 0, endByte: 1_000_000 }
  await expect(collect(encode({ input }))).rejects.toMatchObject({
    code: 'attempts-exhausted',
    permanent: false,
  })
})

test.skipIf(!existsSync('/proc/self/mem'))('a disk that cannot be read is nobody else’s fault', async () => {
  const input = { path: '/proc/self/mem', startByte: 0, endByte: 1_000_000 } // nothing is mapped there: EIO
  await expect(collect(encode({ input }))).rejects.toMatchObject({ code: 'workers-died', permanent: false })
})

test.each([
  ['one sample at 96 kHz', 1],
  ['five samples at 96 kHz', 5],
  ['a second and a bit at 96 kHz', 96_007],
])('resampled to an exact length: %s', async (_, samples) => {
  const outputSamples = Math.ceil((samples * 48_000) / 96_000)
  const input = Readable.from([Buffer.alloc(samples * 2, 0x11)], { objectMode: false })
  const mp3 = await collect(
    encode({
      input,
      inputRate: 96_000,
      inputChannels: 1,
      outputRate: 48_000,
      outputChannels: 1,
      outputSamples,
    }),
  )
  const unpadded = outputSamples + 576
  const padding = 1152 - (unpadded % 1152)
  expect(await mpg123SampleCount(mp3)).toBe(unpadded + padding + (padding < 576 ? 1152 : 0))
})

test.each([
  ['refuses the audio', 'echo "Invalid data found when processing input" >&2; exit 1', 'undecodable', true],
  ['fails without a word', 'head -c 1000 > /dev/null; exit 1', 'attempts-exhausted', false],
  ['is killed', 'kill -KILL $$', 'workers-died', false],
  ['crashes in the middle', 'head -c 5000 /dev/zero; kill -ABRT $$', 'attempts-exhausted', false],
  [
    'prints without end before it fails',
    'head -c 20000000 /dev/zero >&2; exit 1',
    'attempts-exhausted',
    false,
  ],
])('the stream fails, and the input is let go, where ffmpeg %s', async (_, body, code, permanent) => {
  const input = noise()
  await expect(collect(encode({ ffmpegPath: await folder.script(body), input }))).rejects.toMatchObject({
    code,
    permanent,
  })
  expect(input.destroyed).toBe(true)
})

test('an ffmpeg that is not there fails one job, not the process', async () => {
  const input = noise()
  await expect(collect(encode({ ffmpegPath: '/nowhere/ffmpeg', input }))).rejects.toMatchObject({
    code: 'workers-died',
    permanent: false,
  })
  expect(input.destroyed).toBe(true)
})

test('an error of the input is the error of the stream, and ends ffmpeg', async () => {
  async function* broken() {
    yield Buffer.alloc(100_000)
    throw new Error('the disk is gone')
  }
  const ffmpegPath = await folder.script('echo $$ > "$DIR/broken-input"; exec ffmpeg "$@"')
  const mp3 = encode({ ffmpegPath, input: Readable.from(broken(), { objectMode: false }) })
  await expect(collect(mp3)).rejects.toThrow('the disk is gone')
})

test('a signal that was given before the start starts nothing', async () => {
  const ffmpegPath = await folder.script('echo $$ > "$DIR/started"; exec ffmpeg "$@"')
  const reason = new Error('shutdown')
  const input = noise()
  const mp3 = encode({ ffmpegPath, input, signal: AbortSignal.abort(reason) })
  await expect(collect(mp3)).rejects.toMatchObject({ name: 'AbortError', cause: reason })
  expect(input.destroyed).toBe(true)
  await collect(encode()) // time enough for the other to have started
  expect(existsSync(join(folder.dir, 'started'))).toBe(false)
})

test.each([
  ['an ffmpeg at work', 'exec ffmpeg "$@"'],
  ['a script and the ffmpeg below it', 'ffmpeg "$@"'],
  ['a script that hangs, with its children', 'sleep 600 & echo $! > "$DIR/child-$NAME"; sleep 600'],
  ['an ffmpeg that takes no notice of polite signals', "trap '' TERM INT; while :; do sleep 1; done"],
])('a signal kills %s', async (_, body) => {
  const name = `cancel-${_.length}`
  const ffmpegPath = await folder.script(`NAME=${name}; echo $$ > "$DIR/${name}"; ${body}`)
  const cancel = new AbortController()
  const input = noise()
  const outcome = collect(encode({ ffmpegPath, input, signal: cancel.signal }))
  outcome.catch(() => undefined)
  const pids = [await folder.numberIn(name)]
  if (body.includes('child')) pids.push(await folder.numberIn(`child-${name}`))
  cancel.abort()
  await expect(outcome).rejects.toMatchObject({ name: 'AbortError' })
  for (const pid of pids) await untilGone(pid)
  expect(input.destroyed).toBe(true)
})

test('leaving the loop kills ffmpeg', async () => {
  const ffmpegPath = await folder.script('echo $$ > "$DIR/left"; exec ffmpeg "$@"')
  for await (const _ of encode({ ffmpegPath, input: noise() })) break
  await untilGone(await folder.numberIn('left'))
})

test('a reader that does not read stops ffmpeg and the input, so that memory is bounded', async () => {
  let blocks = 0
  function* counted() {
    for (;;) {
      blocks += 1
      yield Buffer.alloc(176_400)
    }
  }
  const mp3 = encode({ input: Readable.from(counted(), { objectMode: false }) })
  await once(mp3, 'readable')
  let seen = -1
  while (seen !== blocks) {
    seen = blocks
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  expect(blocks).toBeLessThan(600) // 8 bytes a frame of silence and pipes of 64 KiB: far from without end
  mp3.destroy()
})

test.each([
  ['pipe', 0],
  ['file', 100_000_000_000], // of nothing but holes; it would take hours
])('ffmpeg ends by itself when the process that started it is killed: %s', async (name, fileBytes) => {
  const ffmpegPath = await folder.script(`echo $$ > "$DIR/orphan-${name}"; exec ffmpeg "$@"`)
  const main = fileURLToPath(new URL('encode-forever.ts', import.meta.url))
  const file = join(folder.dir, 'holes')
  if (fileBytes > 0) await writeFile(file, '').then(() => truncate(file, fileBytes))
  const args = ['--conditions=source', '--import', 'tsx', main, ffmpegPath, ...(fileBytes > 0 ? [file] : [])]
  const parent = spawn(process.execPath, args, { stdio: 'ignore' })
  const pid = await folder.numberIn(`orphan-${name}`)
  expect(await isAlive(pid)).toBe(true)
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  await untilGone(pid)
})

test('the probe tells the version, and throws where no MP3 can come of it', async () => {
  expect(await probeFfmpeg('ffmpeg')).toMatch(/^\d/)
  await expect(probeFfmpeg('/nowhere/ffmpeg')).rejects.toMatchObject({ code: 'workers-died' })
  await expect(probeFfmpeg(await folder.script('echo " A..... aac  AAC"'))).rejects.toThrow('no MP3 encoder')
  const blind = await folder.script('case "$*" in *encoders*) echo libmp3lame;; *) echo pipe;; esac')
  await expect(probeFfmpeg(blind)).rejects.toThrow('subfile')
  expect(await probeFfmpeg(await folder.script('exit 1'))).toBeUndefined()
  const hanging = await folder.script('sleep 600 & echo $! > "$DIR/probed"; wait')
  expect(await probeFfmpeg(hanging, 200)).toBeUndefined()
  await untilGone(await folder.numberIn('probed'))
})
