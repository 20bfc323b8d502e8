/** Lets only a few uploads run at once: a browser has six connections to a host, for all of its tabs together. */

const TURNS = 2

let free = TURNS
const waiting: (() => void)[] = []

/** Runs `work` when it is its turn; first come, first served. @throws the signal's reason, or what `work` throws. */
export async function withTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  await takeTurn(signal)
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next === undefined) free += 1
    else next()
  }
}

function takeTurn(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (free > 0) {
    free -= 1
    return Promise.resolve()
  }
  return new Promise((resolve, reject) => {
    const take = () => {
      signal.removeEventListener('abort', giveUp)
      resolve()
    }
    const giveUp = () => {
      waiting.splice(waiting.indexOf(take), 1)
      reject(signal.reason)
    }
    waiting.push(take)
    signal.addEventListener('abort', giveUp, { once: true })
  })
}
