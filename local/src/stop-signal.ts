/** When the person, the system or npm wants `npm start` to end. */

/** npm passes on the Ctrl-C that the terminal has sent to us already: that is no second one. */
const SAME_CTRL_C_MS = 1_000

/**
 * Aborted by the first Ctrl-C, SIGTERM, or closing of the terminal. A second one, of somebody in a hurry, ends this
 * process at once, and its children with it.
 */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController()
  let firstAt = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!stopping.signal.aborted) firstAt = Date.now()
      else if (Date.now() - firstAt > SAME_CTRL_C_MS) process.exit(130)
      stopping.abort()
    })
  }
  return stopping.signal
}
