/** An installation of the first release, as a dump of its database and a WAV that waits, under the version of today. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { repositoryRoot, startService } from '../../bench/src/service.ts'
import { createEmptyDatabase, createTestDatabase } from '../support/database.ts'
import { runOnServer } from '../support/database-server.ts'
import { mpg123SampleCount } from '../support/judges.ts'
import { tones } from '../support/material.ts'
import { missing } from '../support/requirement.ts'
import { download } from '../support/story.ts'
import { buildWav } from '../support/wav.ts'

const run = promisify(execFile)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const migrations = join(repositoryRoot, 'prisma', 'migrations')

/**
 * What `pg_dump --column-inserts` wrote of commit 450e30d: a user, a recording that is ready, and one that a worker was at when it was
 * stopped; the queue in PostgreSQL.
 */
const dump = gunzipSync(
  await readFile(join(repositoryRoot, 'prisma', 'test', 'fixtures', 'first-release.sql.gz')),
).toString()
const story = {
  user: '80b6af29-9741-4475-87c9-8ce23babad4c',
  token: 'c8574508-65ae-4f65-8bfe-53ba07df48ec',
  ready: '4f2a9531-b346-46e2-83ca-67a2284b2130',
  readySha256: 'd16b0fe4e7c58dcc55f5a8da3376775d88388a7b1234887621cd4ce6f77bf4e1',
  waiting: '27d03227-21a6-4c93-856e-e1503e9dd2de',
  waitingKey: 2,
  samples: 22_050,
}

async function oldInstallation(): Promise<{ url: string; wavDir: string; dataDir: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'wavemill upgrade '))
  onTestFinished(() => rm(dataDir, { recursive: true }))
  const database = await createEmptyDatabase()
  onTestFinished(() => database.drop())
  await runOnServer(database.url, dump)
  const wav = buildWav({ samples: story.samples, channels: 1, material: tones() })
  const [row] = await runOnServer(
    database.url,
    `SELECT encode(wav_sha256, 'hex') AS digest FROM public.record WHERE key = ${story.waitingKey}`,
  )
  expect(sha256(wav)).toBe(row?.digest)
  await writeFile(join(dataDir, `${story.waitingKey}.wav`), wav)
  return { url: database.url, wavDir: dataDir, dataDir: join(dataDir, 'data') }
}

describe.skipIf(missing('ffmpeg') || missing('mpg123'))('an upgrade of the first release', () => {
  it('keeps the MP3 byte for byte, ends what waited, lets the user in, and leaves books that add up', async () => {
    const { url, wavDir, dataDir } = await oldInstallation()
    const settings = { MIN_FREE_DISK_MB: '0', DATABASE_URL: url, WAV_DIR: wavDir }
    const service = await startService({ dataDir, settings })
    try {
      const link = (id: string) => `/record?id=${id}&user=${story.user}`
      expect(sha256(await download(service.baseUrl, link(story.ready)))).toBe(story.readySha256)
      expect(await mpg123SampleCount(await download(service.baseUrl, link(story.waiting)))).toBe(
        story.samples,
      )
      const answer = await fetch(`${service.baseUrl}/records?user=${story.user}`, {
        headers: { authorization: `Bearer ${story.token}` },
      })
      expect(await answer.json()).toMatchObject({ records: [{ id: story.waiting }, { id: story.ready }] })
      const env = { ...process.env, ...settings, REDIS_URL: '' }
      const books = await run(process.execPath, ['local/dist/books-main.js'], { cwd: repositoryRoot, env })
      expect(books.stdout).toBe('The books add up.\n')
    } finally {
      await service.stop()
    }
  })
})

describe('the migrations', () => {
  it('let the first release go on writing while its workers are replaced', async () => {
    const database = await createTestDatabase()
    onTestFinished(() => database.drop())
    // What the first release wrote, into the tables of today.
    const inserts = dump
      .split(/;\n/)
      .map((statement) => statement.trim())
      .filter((statement) => /^INSERT INTO public\.("?user"?|record|segment|chunk) /.test(statement))
    const order = ['"user"', 'record', 'segment', 'chunk']
    const rank = (statement: string) =>
      order.findIndex((table) => statement.startsWith(`INSERT INTO public.${table} `))
    for (const statement of inserts.sort((a, b) => rank(a) - rank(b)))
      await runOnServer(database.url, statement)
    const [counts] = await runOnServer(database.url, 'SELECT count(*)::int AS records FROM record')
    expect(counts).toEqual({ records: 2 })
  })

  it('take nothing away that an older version uses', async () => {
    for (const name of await readdir(migrations)) {
      if (name.endsWith('.toml')) continue
      const sql = (await readFile(join(migrations, name, 'migration.sql'), 'utf8')).replaceAll(/--.*$/gm, '')
      expect(sql, name).not.toMatch(
        /DROP (TABLE|COLUMN|TYPE)|\bRENAME\b|ALTER COLUMN "\w+" (SET DATA )?TYPE|SET NOT NULL/i,
      )
      expect(sql, name).not.toMatch(/ADD COLUMN[^,;]*NOT NULL(?![^,;]*DEFAULT)(?<!DEFAULT[^,;]*)/i)
    }
  })

  it('are never edited: the first one is still what the first release applied', async () => {
    const first = '20261124120000_first_tables'
    const digest = sha256(await readFile(join(migrations, first, 'migration.sql')))
    expect(dump).toMatch(new RegExp(`'${digest}'.*'${first}'`))
  })
})
