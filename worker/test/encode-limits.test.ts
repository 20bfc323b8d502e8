/** An ffmpeg that takes or gives too much is stopped; what it may take of the machine is bounded. */
import { execFile } from 'node:child_process'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { missing } from '../../test/support/requirement.ts'
import { withLimits } from '../src/encode-limits.ts'
import { limitResources } from '../src/limit-resources.ts'

const run = promisify(execFile)
const never = 1_000_000

async function drain(blocks: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0
  for await (const block of blocks) bytes += block.byteLength
  return bytes
}

async function* endless(pauseMs: number): AsyncGenerator<Buffer> {
  for (;;) {
    await sleep(pauseMs)
    yield Buffer.alloc(1_000)
  }
}

test.each([
  [
    'nothing comes',
    new Readable({ read() {} }),
    { stallMs: 20, totalMs: never, bytes: never },
    'no progress for 0.02 s',
  ],
  [
    'it goes on for ever',
    Readable.from(endless(1)),
    { stallMs: never, totalMs: 50, bytes: never },
    'longer than 0.05 s',
  ],
  [
    'it gives too much',
    Readable.from(endless(0)),
    { stallMs: never, totalMs: never, bytes: 5_500 },
    'more than 5500 bytes',
  ],
])('where %s it is stopped, and may be tried again', async (_what, mp3, limits, reason) => {
  await expect(drain(withLimits(mp3, limits))).rejects.toMatchObject({
    ...{ code: 'attempts-exhausted', permanent: false },
    message: expect.stringContaining(reason),
  })
  expect(mp3.destroyed).toBe(true)
})

test('how long the reader takes is not its doing', async () => {
  const blocks = [1, 2, 3].map((size) => Buffer.alloc(size))
  const limited = withLimits(Readable.from(blocks), { stallMs: 300, totalMs: 300, bytes: 6 })
  let bytes = 0
  for await (const block of limited) {
    bytes += block.byteLength
    await sleep(150)
  }
  expect(bytes).toBe(6)
})

test.skipIf(missing('prlimit'))(
  'memory, files and core dumps are bounded for the program and what it starts',
  async () => {
    const [program, args] = limitResources('sh', ['-c', 'ulimit -d; ulimit -c; echo $0', 'an argument'])
    const { stdout } = await run(program, args)
    expect(stdout).toBe('524288\n0\nan argument\n')
    const greedy = limitResources(process.execPath, ['-e', 'Buffer.alloc(1e9, 1)'])
    await expect(run(...greedy)).rejects.toMatchObject({ stderr: expect.stringMatching(/alloc|memory/i) })
  },
)
