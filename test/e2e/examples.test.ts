/** Runs everything that examples/ and the README tell a reader to run, against the real service, so that none of it can rot. */
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { repositoryRoot, type Service } from '../../bench/src/service.ts'
import { fillFrom, readHttpFile, sendHttpRequest } from '../support/http-file.ts'
import { ffprobe, mpg123SampleCount } from '../support/judges.ts'
import { missing } from '../support/requirement.ts'
import { startTestService } from '../support/service.ts'

const run = promisify(execFile)
const examples = join(repositoryRoot, 'examples')

let service: Service
beforeAll(async () => {
  service = await startTestService()
}, 240_000)
afterAll(() => service?.stop())

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wavemill-examples-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('newman runs the Postman collection green, given nothing but the address', async () => {
  const newman = join(examples, 'node_modules', '.bin', 'newman')
  const args = [
    'run',
    'wavemill.postman_collection.json',
    '--env-var',
    `baseUrl=${service.baseUrl}`,
    '--bail',
    'failure',
  ]
  await run(newman, [...args, '--color', 'off', '--reporters', 'cli'], { cwd: examples })
})

const noJudge = missing('curl') || missing('mpg123') || missing('ffprobe')

describe.skipIf(noJudge)('story.sh', () => {
  it('runs green and leaves an MP3 as long as the recording, with its title', async () => {
    await run(join(examples, 'story.sh'), [], {
      cwd: folder,
      env: { ...process.env, BASE_URL: service.baseUrl },
    })
    expect(await mpg123SampleCount(join(folder, 'tone.mp3'))).toBe(8000)
    expect((await ffprobe(join(folder, 'tone.mp3'))).format.tags).toMatchObject({ title: 'A tone' })
  })

  it('ends with 1 and shows the answer where it is not the expected one', async () => {
    const story = run(join(examples, 'story.sh'), [join(examples, 'no-audio.wav')], {
      cwd: folder,
      env: { ...process.env, BASE_URL: service.baseUrl },
    })
    await expect(story).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('application/problem+json'),
    })
  })
})

it('each request of the .http file gets the status that its comment expects', async () => {
  const file = await readHttpFile(join(examples, 'wavemill.http'))
  const bodies = new Map<string, string>()
  const fill = fillFrom(new Map([...file.variables, ['baseUrl', service.baseUrl]]), bodies)
  const got: { title: string; status: number }[] = []
  for (const request of file.requests) {
    let answer = await sendHttpRequest(request, file.folder, fill)
    while (answer.status === request.sentAgainWhile) {
      await sleep(200)
      answer = await sendHttpRequest(request, file.folder, fill)
    }
    got.push({ title: request.title, status: answer.status })
    if (request.name !== undefined) bodies.set(request.name, answer.body)
  }
  expect(got).toEqual(file.requests.map(({ title, expected }) => ({ title, status: expected })))
})

it.skipIf(noJudge)("the README's story runs as it is written", async () => {
  await copyFile(join(examples, 'tone.wav'), join(folder, 'recording.wav'))
  const readme = await readFile(join(repositoryRoot, 'README.md'), 'utf8')
  const story = /^## The story in curl$[^`]*^```sh$(.*?)^```$/ms.exec(readme)?.[1]
  expect(story).toContain('http://127.0.0.1:8080')
  const script = story?.replaceAll('http://127.0.0.1:8080', service.baseUrl) ?? ''
  await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder })
  expect(await mpg123SampleCount(join(folder, 'recording.mp3'))).toBe(8000)
})
