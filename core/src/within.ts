/** Bounds a wait: a promise that may never settle is given up after a time. */

/**
 * Waits for `work`, but no longer than `timeoutMs`. The work itself goes on; what becomes of it later is ignored.
 *
 * @param what begins the error's sentence, such as `The queue`.
 * @throws Error if the time is over first; otherwise whatever `work` rejects with.
 */
export async function within<T>(timeoutMs: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Tells whether `work` settles, well or badly, within `timeoutMs`. Never rejects. */
export async function settlesWithin(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  const settled = work.then(
    () => true,
    () => true,
  )
  try {
    return await within(timeoutMs, 'The work', settled)
  } catch {
    return false
  }
}
