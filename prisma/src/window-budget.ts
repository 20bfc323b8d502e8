/** Shares out the memory that all downloads of a process may hold at once: few get large windows, which are quick, many small ones. */

/** Somewhat more is held in fact: while one window is read, the end of the last one may still be on its way out. */
const BUDGET_BYTES = 16 * 1_048_576
const MAX_WINDOW_BYTES = 2 * 1_048_576
/** Given also when nothing is left, so that nobody ever waits for a client that does not read. */
const MIN_WINDOW_BYTES = 256 * 1024

export interface Window {
  readonly bytes: number
  /** Must be called once, when its bytes are held no more. */
  release(): void
}

export interface WindowBudget {
  /**
   * @param wantedBytes what there is to read, at least 1.
   * @returns no more than that, and than an eighth of what is left, which is counted as 256 KiB to 2 MiB.
   */
  take(wantedBytes: number): Window
}

export function createWindowBudget(): WindowBudget {
  let left = BUDGET_BYTES
  return {
    take(wantedBytes) {
      const share = Math.min(Math.max(Math.floor(left / 8), MIN_WINDOW_BYTES), MAX_WINDOW_BYTES)
      const bytes = Math.min(wantedBytes, share)
      left -= bytes
      return {
        bytes,
        release() {
          left += bytes
        },
      }
    },
  }
}
