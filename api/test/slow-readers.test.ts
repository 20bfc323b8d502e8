/** Many clients that ask for an MP3 and do not read it: what they cost, and that nobody else notices. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { connectRaw, head } from './raw-http.ts'
import { readyRecording } from './ready-mp3.ts'
import { type RunningApp, startApp } from './running-app.ts'

const MIB = 1_048_576

let app: RunningApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app?.stop())

it('200 clients that do not read hold little memory and no connection, and others are served', async () => {
  const mp3 = randomBytes(16 * MIB)
  const { url, path } = await readyRecording(app, mp3)
  const small = randomBytes(2 * MIB)
  const { url: smallUrl } = await readyRecording(app, small)
  const before = process.memoryUsage().arrayBuffers
  const lazy = await Promise.all(
    Array.from({ length: 200 }, async () => {
      const connection = await connectRaw(app.port)
      connection.socket.pause()
      await connection.send(head(app.port, `GET ${path}`))
      return connection
    }),
  )
  try {
    await eventually(() => expect(lazy.every(({ socket }) => socket.readableLength > 0)).toBe(true))
    expect(Buffer.from(await (await fetch(smallUrl)).arrayBuffer()).equals(small)).toBe(true)
    const range = await fetch(url, { headers: { range: `bytes=${MIB}-${2 * MIB - 1}` } })
    expect(Buffer.from(await range.arrayBuffer()).equals(mp3.subarray(MIB, 2 * MIB))).toBe(true)
    // A window of 8 MiB for each would be 1600.
    await eventually(() => expect((process.memoryUsage().arrayBuffers - before) / MIB).toBeLessThan(500))
    expect(lazy.every(({ socket }) => !socket.destroyed)).toBe(true)
    expect(app.logs()).not.toContain('download broken off')
    expect(app.logs()).not.toMatch(/"status":5\d\d/)
  } finally {
    for (const { socket } of lazy) socket.destroy()
  }
}, 180_000)
