/** The whole story under Docker Compose, and its disasters: `npx tsx --test test/e2e/compose-story.ts` (needs an engine). */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { mpg123SampleCount } from '../support/judges.ts'
import { createUser, downloadMp3, type User, uploadFile, waitFor } from './compose-client.ts'
import { type ComposeProject, createComposeProject, hasDocker } from './compose-project.ts'

const run = promisify(execFile)
const skip = (await hasDocker()) ? false : 'no Docker engine answers'
if (skip) console.error(`SKIPPED: the compose story, because ${skip}`)

const QUEUED = 20

interface Recording {
  readonly path: string
  readonly samples: number
}

interface Upload {
  readonly link: string
  readonly samples: number
}

describe('docker compose', { skip }, () => {
  let project: ComposeProject
  let folder: string
  let recordings: Recording[]
  let user: User

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'compose-story-'))
    recordings = await recordSpeech(folder, QUEUED)
    project = await createComposeProject()
    await project.up(1)
    user = await createUser(project.baseUrl, 'Compose')
  })

  after(async () => {
    await project.remove()
    await rm(folder, { recursive: true })
  })

  it('gives speech back as an MP3 of exactly its length, and keeps it through down and up', async () => {
    const uploads = await uploadAll(recordings.slice(0, 1))
    const mp3s = await downloadAll(uploads)
    await project.compose('down')
    await project.up(3)
    assert.deepEqual(await downloadAll(uploads), mp3s)
    await assertBooks()
  })

  it('spreads recordings over three workers', async () => {
    await downloadAll(await uploadAll(recordings))
    const workers = await query('SELECT count(DISTINCT worker) FROM segment')
    assert.ok(Number(workers) >= 3, `only ${workers} workers took part`)
    await assertBooks()
  })

  const disasters: { name: string; strike(): Promise<unknown> }[] = [
    { name: 'a worker is killed', strike: () => project.crash('worker') },
    {
      name: 'Redis forgets everything',
      strike: () => project.compose('exec', '-T', 'redis', 'redis-cli', 'FLUSHALL'),
    },
    { name: 'everything is killed', strike: () => project.compose('kill').then(() => project.up(1)) },
  ]
  for (const { name, strike } of disasters) {
    it(`loses none of ${QUEUED} recordings when ${name} in the middle of them`, async () => {
      await project.up(1)
      const uploads = await uploadAll(recordings)
      await waitFor(async () => (await count('processing')) > 0)
      assert.ok((await count('queued')) > 5, 'the disaster comes too late')
      await strike()
      await downloadAll(uploads)
      await assertBooks()
    })
  }

  it('counts what died as deaths, and no recording as failed', async () => {
    const deaths = await query('SELECT sum(deaths) FROM segment')
    assert.ok(Number(deaths) >= 2, `${deaths} deaths, though two disasters killed a worker`)
    assert.equal(await count('failed'), 0)
  })

  it('runs nothing as root, logs JSON, and no token', async () => {
    for (const service of ['api', 'worker', 'postgres', 'redis']) {
      const id = await project.compose('exec', '-T', service, 'id', '-u')
      assert.notEqual(id.trim(), '0', service)
    }
    const log = await project.compose('logs', '--no-log-prefix', 'api', 'worker', 'migrate')
    for (const line of log.trim().split('\n')) JSON.parse(line)
    assert.ok(!log.includes(user.token))
  })

  async function uploadAll(chosen: readonly Recording[]): Promise<Upload[]> {
    const uploads: Upload[] = []
    for (const { path, samples } of chosen) {
      uploads.push({ link: await uploadFile(project.baseUrl, user, path), samples })
    }
    return uploads
  }

  /** Waits for the MP3s and has mpg123 say that each holds every sample of its recording, and no other. */
  async function downloadAll(uploads: readonly Upload[]): Promise<Buffer[]> {
    const mp3s: Buffer[] = []
    for (const { link, samples } of uploads) {
      const mp3 = await downloadMp3(link)
      assert.equal(await mpg123SampleCount(mp3), samples)
      mp3s.push(mp3)
    }
    return mp3s
  }

  async function assertBooks(): Promise<void> {
    await project.compose('exec', '-T', 'api', 'node', 'prisma/dist/books-main.js')
  }

  async function count(status: string): Promise<number> {
    return Number(await query(`SELECT count(*) FROM record WHERE status = '${status}'`))
  }

  async function query(sql: string): Promise<string> {
    const psql = ['psql', '--username', 'wavemill', '--tuples-only', '--no-align', '--command', sql]
    return (await project.compose('exec', '-T', 'postgres', ...psql)).trim()
  }
})

/** Four minutes of speech and more: each recording has another length, so that no MP3 passes for another. */
async function recordSpeech(folder: string, howMany: number): Promise<Recording[]> {
  const spoken = join(folder, 'spoken.wav')
  await run('espeak-ng', [
    '-w',
    spoken,
    'This is a recording. It is read to you by a machine, again and again.',
  ])
  const recordings: Recording[] = []
  for (let number = 0; number < howMany; number += 1) {
    const path = join(folder, `${number}.wav`)
    await run('sox', [spoken, path, 'repeat', '-', 'trim', '0', `${22_050 * 240 + 1001 * number}s`])
    const { stdout } = await run('soxi', ['-s', path])
    recordings.push({ path, samples: Number(stdout) })
  }
  return recordings
}
