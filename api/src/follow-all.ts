/** Follows several records at once, for one event stream. */
import { createBell } from './bell.ts'
import type { Follow, FollowOptions } from './follow-record.ts'
import type { Moment } from './moment.ts'
import type { Link } from './record-state.ts'

/** What became of one of the records. */
export interface Told {
  readonly id: string
  readonly moment: Moment
}

/** The bell rings for whatever happens; it only has to be waited for in some pieces. */
const LONG_MS = 60_000

/**
 * Yields the state of each record at once, and again whenever it may have changed, until none of them waits any more.
 * Whoever reads slowly is told only the latest state of each.
 *
 * @throws what `follow` throws.
 */
export async function* followAll(
  follow: Follow,
  links: readonly Link[],
  options: FollowOptions,
): AsyncGenerator<Told, void, undefined> {
  const latest = new Map<string, Moment>()
  const bell = createBell()
  let isOver = false
  const note = async (link: Link) => {
    for await (const moment of follow(link, options)) {
      latest.set(link.id, moment)
      bell.ring()
    }
  }
  const all = Promise.all(links.map(note)).finally(() => {
    isOver = true
    bell.ring()
  })
  all.catch(() => undefined) // thrown below, once what is known was told
  for (;;) {
    const wasOver = isOver
    for (const [id, moment] of latest) {
      latest.delete(id)
      yield { id, moment }
    }
    if (wasOver) break
    await bell.wait(LONG_MS)
  }
  await all
}
