/** Whose fault an ffmpeg's end was, by what real ffmpegs, shells and the dynamic linker print. */
import { expect, test } from 'vitest'
import { failureOfExit, failureOfSpawn } from '../src/ffmpeg-failure.ts'

const invalidData =
  '[wav @ 0x55d0c8a5e6c0] invalid start code\n/srv/wav/7.wav: Invalid data found when processing input\n'

test.each([
  ['it complains about the data', 1, invalidData],
  [
    'it complains about the data, as ffmpeg 6 and later end',
    183,
    'Error opening input: Invalid data found when processing input',
  ],
  ['it knows no such decoder', 1, 'Decoder (codec none) not found: Unknown decoder'],
  ['its decoder gives up', 69, 'Error while decoding stream #0:0: Operation not permitted'],
])('refused at once where %s', (_, code, stderr) => {
  expect(failureOfExit({ code, signal: null, stderr })).toMatchObject({
    code: 'undecodable',
    permanent: true,
  })
})

test.each([
  ['killed', null, 'SIGKILL', ''],
  ['terminated', null, 'SIGTERM', ''],
  ['told to end and ended in good order', 255, null, ''],
  ['killed below a shell script', 137, null, ''],
  ['missing below a shell script', 127, null, 'ffmpeg: not found'],
  ['short of memory', 1, null, 'Error initializing filter: Cannot allocate memory'],
  ['short of processes', 1, null, 'pthread_create() failed: Resource temporarily unavailable'],
  ['killed while it complained', null, 'SIGKILL', invalidData],
] as const)('not counted against the recording where it was %s', (_, code, signal, stderr) => {
  expect(failureOfExit({ code, signal, stderr })).toMatchObject({ code: 'workers-died', permanent: false })
})

test.each([
  ['fails without a word', 1, null, ''],
  ['aborts on an assertion', null, 'SIGABRT', 'Assertion `el >= 0` failed'],
  ['crashes', null, 'SIGSEGV', ''],
  ['does not know an option', 1, null, "Unrecognized option 'write_xing'"],
] as const)('tried again where it %s', (_, code, signal, stderr) => {
  expect(failureOfExit({ code, signal, stderr })).toMatchObject({
    code: 'attempts-exhausted',
    permanent: false,
  })
})

test('the detail says what ffmpeg said, without paths, addresses and control characters, in at most 400 characters', () => {
  expect(failureOfExit({ code: 1, signal: null, stderr: invalidData }).message).toBe(
    'ffmpeg ended with exit code 1: [wav] invalid start code | (file): Invalid data found when processing input',
  )
  const flood = failureOfExit({ code: 1, signal: null, stderr: `\u001b[31m${'x'.repeat(100_000)}` }).message
  expect(flood.length).toBeLessThan(400)
  expect(flood).not.toMatch(/\p{Cc}/u)
})

test('an ffmpeg that cannot be started is not the fault of the recording', () => {
  const cause = Object.assign(new Error('spawn /opt/ffmpeg EAGAIN'), { code: 'EAGAIN' })
  expect(failureOfSpawn(cause)).toMatchObject({
    code: 'workers-died',
    permanent: false,
    message: 'ffmpeg could not be started (EAGAIN)',
    cause,
  })
})
