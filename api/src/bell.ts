/** A bell that one waits for: what rings while nobody listens is not lost. */

export interface Bell {
  ring(): void
  /** Resolves once it has rung since the last wait, or after `ms`. One waits at a time. */
  wait(ms: number): Promise<void>
}

export function createBell(): Bell {
  let hasRung = false
  let wake = () => {}
  return {
    ring() {
      hasRung = true
      wake()
    },
    async wait(ms) {
      if (!hasRung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      hasRung = false
      wake = () => {}
    },
  }
}
