/** A recording, and a user, removed over HTTP in the middle of a transcode by two workers: nothing is left, and nothing else harmed. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createLog } from '@wavemill/core/log'
import { checkBooks } from '@wavemill/prisma/books'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../api/test/eventually.ts'
import { multipartBody, post, uploadParts } from '../../api/test/multipart.ts'
import { type RunningApp, startApp, type User } from '../../api/test/running-app.ts'
import { buildWorker, type TranscodingWorker } from '../../worker/src/worker.ts'
import { createScriptFolder, isAlive, type ScriptFolder } from '../../worker/test/fake-ffmpeg.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { missing } from '../support/requirement.ts'
import { buildWav } from '../support/wav.ts'

const short = buildWav({ samples: 44_100 })
const minute = buildWav({ samples: 60 * 44_100, channels: 1 })

describe.each(['PostgreSQL', 'Redis'])('with the queue in %s', (home) => {
  describe.skipIf(home === 'Redis' && missing('redis-server'))('', () => {
    let redis: TestRedis | undefined
    let app: RunningApp
    let folder: ScriptFolder
    const workers: TranscodingWorker[] = []

    beforeAll(async () => {
      if (home === 'Redis') redis = await startRedis()
      app = await startApp({
        ...(redis !== undefined && { redisUrl: redis.url }),
        settings: { segmentSeconds: 10 },
      })
      folder = await createScriptFolder()
      // Three segments are done at once, and all others take as long as they sound.
      const ffmpegPath = await folder.script(
        'for slot in 1 2 3; do mkdir "$DIR/fast-$slot" 2>/dev/null && exec ffmpeg "$@"; done\n' +
          'touch "$DIR/pid-$$"; exec ffmpeg -re "$@"',
      )
      for (const workerName of ['test:1', 'test:2']) workers.push(startWorker(workerName, ffmpegPath))
    })
    afterAll(async () => {
      await Promise.all(workers.map((worker) => worker.close(5_000)))
      await app?.stop()
      await redis?.stop()
      await folder?.remove()
    })

    function startWorker(workerName: string, ffmpegPath: string): TranscodingWorker {
      const { db, wavStore, queue, databaseProxy } = app
      const worker = buildWorker({
        ...{ db, wavStore, queue, workerName, ffmpegPath, log: createLog('test', 'silent') },
        ...{ databaseUrl: databaseProxy.url, redisUrl: redis?.url, segmentAttempts: 3, concurrency: 1 },
      })
      worker.start()
      return worker
    }

    async function upload(user: User, wav: Uint8Array): Promise<string> {
      const answer = await post(`${app.baseUrl}/record`, multipartBody(uploadParts(user, wav)))
      expect(answer.status).toBe(202)
      return ((await answer.json()) as { url: string }).url
    }

    async function slowPids(): Promise<number[]> {
      const names = await readdir(folder.dir)
      return names.filter((name) => name.startsWith('pid-')).map((name) => Number(name.slice(4)))
    }

    const alive = async () => {
      const pids = await slowPids()
      const states = await Promise.all(pids.map(isAlive))
      return pids.filter((_pid, index) => states[index])
    }

    test.each([
      ['a recording', (url: string) => url, 410],
      ['its user', (url: string) => url.replace(/record\?id=[^&]*&/, 'user?'), 404],
    ])(
      '%s goes, and within moments no ffmpeg, chunk, file or job of it is left',
      async (_what, path, status) => {
        const [ada, bob] = [await app.createUser(), await app.createUser()]
        for (const slot of [1, 2, 3])
          await rm(join(folder.dir, `fast-${slot}`), { recursive: true, force: true })
        const bobs = await upload(bob, short)
        await eventually(async () => expect((await fetch(bobs)).status).toBe(200))
        const mp3 = Buffer.from(await (await fetch(bobs)).arrayBuffer())
        const before = { ...(await app.stored()), chunks: await app.db.prisma.chunk.count() }

        const url = await upload(ada, minute)
        await eventually(async () => {
          expect(await alive()).toHaveLength(2)
          expect(await app.db.prisma.chunk.count()).toBeGreaterThanOrEqual(before.chunks + 2)
        })
        const answer = await fetch(path(url), {
          method: 'DELETE',
          headers: { authorization: `Bearer ${ada.token}` },
        })
        expect(answer.status).toBe(204)
        expect((await fetch(url)).status).toBe(status)
        await eventually(async () => expect(await alive()).toEqual([]))
        await eventually(async () => {
          const { active, waiting } = await app.queue.counts()
          expect({ active, waiting }).toEqual({ active: 0, waiting: 0 })
        })
        const { segments, files } = await app.stored()
        const chunks = await app.db.prisma.chunk.count()
        expect({ segments, files, chunks }).toEqual({
          ...{ segments: before.segments, files: before.files, chunks: before.chunks },
        })
        expect(Buffer.from(await (await fetch(bobs)).arrayBuffer())).toEqual(mp3)
        expect(await checkBooks(app.db, app.wavStore, { settleMs: 0 })).toEqual([])
      },
    )
  })
})
