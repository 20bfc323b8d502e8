import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { writeEvents } from '../src/event-stream.ts'
import type { Moment } from '../src/moment.ts'

/** A recording that gets on by a thousandth each time that somebody asks. */
function gettingOn() {
  let asked = 0
  async function* moments(): AsyncGenerator<Moment> {
    for (;;) {
      asked += 1
      const waiting = { position: 0, estimatedSeconds: 1, retryAfter: 1 }
      yield { record: undefined, waiting: { status: 'processing', progress: asked / 1_000, ...waiting } }
    }
  }
  return { moments: moments(), asked: () => asked }
}

it('a stream that nobody reads asks for no more than its buffer holds, and goes on from the latest state', async () => {
  const { moments, asked } = gettingOn()
  const stream = Readable.from(writeEvents(moments, undefined), { objectMode: false, highWaterMark: 1_000 })
  const reader = stream[Symbol.asyncIterator]()
  await reader.next()
  let before = -1
  while (asked() !== before) {
    before = asked()
    await sleep(20)
  }
  expect(before).toBeLessThan(20)
  await reader.return?.()
  expect(stream.destroyed).toBe(true)
})

it('what says nothing new is a comment, and an event has its id, its name and one line of data', async () => {
  const { value } = await gettingOn().moments.next()
  async function* twice() {
    yield value
    yield value
  }
  const written: string[] = []
  for await (const text of writeEvents(twice(), '7')) written.push(text)
  expect(written).toEqual([
    'id: 8\nevent: status\ndata: {"status":"processing","progress":0.001,"position":0,"estimatedSeconds":1,"retryAfter":1}\n\n',
    ': still there\n\n',
  ])
})

it('of a record of which nothing is left it says that it was deleted', async () => {
  const nothing = Readable.from([{ record: undefined, waiting: undefined }])
  const written: string[] = []
  for await (const text of writeEvents(nothing, undefined)) written.push(text)
  expect(written).toEqual([
    'id: 1\nevent: status\ndata: {"status":"deleted"}\n\nid: 2\nevent: deleted\ndata: {"status":"deleted"}\n\n',
  ])
})
